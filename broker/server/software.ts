/** Software: the name and version by which a broker introduces itself; a test compares it with package.json. */
export const brokerSoftware = 'sluice 0.1.0'
