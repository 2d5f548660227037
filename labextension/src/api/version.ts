/** The version of the package; a test keeps it that of the Python half. */
export const VERSION = '0.1.0';
