// Package sweep runs a grid of shapes and lengths of training as one scaling study: small T5 models
// on one machine, one record a run, in the form that fits of scaling laws read.
//
// A [Grid] lists the runs. [Run] takes them in order, cheapest first, under a budget of time, and
// hands each record over as soon as its run ends: a caller that stores it at once, in a file of its
// [FileName], loses at most the run in flight. Runs of a study differ in shape, steps and seed alone.
// Studies that outgrow a machine are
// split with [Emit], which prints a job array whose tasks run one entry each, and joined with
// [Merge].
package sweep
