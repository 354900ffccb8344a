/**
 * Software: the name and version by which a broker introduces itself.
 *
 * Always true: the version of package.json; a test compares them.
 * Told by the hello handler.
 */
export const brokerSoftware = 'sluice 0.1.0'
