// Package calibrate fits the free constants of the step-time model to measured steps, and scores
// the model on measurements it has not seen.
//
// Steps come from three places: [Bench] times the reference kernel over a [Design] of T5 shapes on
// this machine, [ReadSteps] imports the user's own, and [EmitPyTorch] writes a script that measures
// the same model with PyTorch on an accelerator or a cluster. [Fit] starts from the constants
// fitted to the published step times, [FitHere] from what is known of the kernel on processors;
// both return the error of each shape predicted from the others. [Check] holds a profile against
// steps of other shapes.
package calibrate
