// Package learn is everything between a table of recorded runs and a fit that is neither a flag nor
// a table of results: which rows are used and why others are not, the groups of rows, the laws to
// fit and the objective, intervals, held-out scores, and what a drawing of a fit shows.
//
// Each question has its function: [Fit], [IsoFLOP], [Envelope], [Allocate], [Transfer]. The laws,
// the solver and the statistics are those of package fit, the tables those of fit/records.
package learn
