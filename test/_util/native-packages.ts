/** The optional native packages have builds for more platforms, but all of them for this one, on which CI runs. */
export const hasNativePackages: boolean = process.platform === 'linux' && process.arch === 'x64'
