/** What is wrong with one file or member, in words that follow its name: "is encrypted; ...". The rest goes on. */
export class Damaged extends Error {}
