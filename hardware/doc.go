// Package hardware says what a run costs on a device: profiles of accelerators, step time, money,
// energy and CO2.
//
// A [Profile] holds what is known of one device type, each number a [Field] with its source, and
// nil where nothing is known: a missing input makes an answer absent with a reason, never 0.
// Catalogue profiles are built from package data; [Parse] reads "name,mem=40GiB,price=1.10" and
// [ReadProfile] a YAML file that extends a catalogue profile.
//
// [Predict] times one training step: each product by its own efficiency, element-wise work by the
// bytes it moves, launches, collectives, the pipeline's bubble and the optimizer. The few free
// numbers of that are [Constants], each with a prior; package calibrate fits them, and [Shipped] is
// its fit to the published step times. A [Machine] prices a shape in a microsecond. [SearchLayout]
// and [Changes] ask the same model what would be better; [PredictDecoding] times generation.
//
// Layering: shapes and flops say how much work there is, this package says how long it takes and
// what that costs.
package hardware
