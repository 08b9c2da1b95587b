// Package probe measures what a machine can do at best: its rate of single-precision multiply-adds
// and of memory traffic. Measured speeds of the training kernel are judged against these, since
// data sheets know neither the clock that a machine really runs at nor who else is using it.
package probe
