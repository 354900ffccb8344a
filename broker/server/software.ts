/**
 * Software: the name and version by which a broker introduces itself.
 *
 * Always true: the version of package.json; a test compares them.
 * Told by the hello handler and the metrics.
 */
export const brokerVersion = '0.1.0'
export const brokerSoftware = `sluice ${brokerVersion}`
