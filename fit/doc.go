// Package fit estimates scaling laws from recorded runs and says how far the estimate can be
// trusted.
//
// A [Law] is a value: the columns it reads, its parameters and either a list of power terms or a
// function with an exact gradient. [Fit] minimises a named [Objective] from many starts and returns
// a [Result] with a [Certificate]; data that cannot support the law end in a [*Refusal].
// [Extrapolate] continues one learning curve by an average of laws. [Bootstrap] and [Profile] give
// intervals, [Choose] picks a law by its error on held-out rows, [IsoFLOP], [Envelope] and
// [Allocate] turn fits into compute-optimal sizes, and [Transfer] and [Chain] follow an upstream
// loss to a downstream score.
//
// # Scale
//
// Laws of a loss return ln ŷ and are solved in θ, where positive parameters (A, B, E, N_C …) are
// logarithms: the Chinchilla law becomes a log-sum-exp of affine functions, whose gradient and
// Hessian are exact and cheap. Everything exported speaks natural units.
//
// # Determinism
//
// Starts are quasi-random points shifted by a seed; the winner is chosen by value, then by its
// parameters, so neither the order of the starts nor the number of workers changes the answer.
package fit
