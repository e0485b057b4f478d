const [year, month, day, hour, minute] = [365 * 86_400, 28 * 86_400, 86_400, 3600, 60];

/**
 * How uPlot writes the marks of a time axis, by the distance between two: what every mark says, then what is added where
 * a year, a month or a day begins. Day before month in words, so that nobody takes one for the other.
 */
export const dateMarks = [
  [year, '{YYYY}', null, null, null, null, null, null, 1],
  [month, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [day, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [hour, '{HH}:00', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [minute, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
];
