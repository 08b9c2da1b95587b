// Package calibrate fits the free constants of the step-time model to measured steps, and scores the model on
// measurements it has not seen.
package calibrate
