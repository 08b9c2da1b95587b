package result

import (
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// Count is a result of count: one shape.
type Count struct {
	Shape             Shape      `json:"shape"`
	Workload          Workload   `json:"workload"`
	Params            Params     `json:"params"`
	FLOPs             FLOPs      `json:"flops"`
	FLOPsByConvention []FLOPs    `json:"flops_by_convention,omitempty"`
	Memory            Memory     `json:"memory"`
	Breakdown         []Share    `json:"breakdown,omitempty"`
	Stored            *Stored    `json:"stored,omitempty"`
	Inference         *Inference `json:"inference,omitempty"`
}

// Inference is the memory of generating one sequence on one device.
type Inference struct {
	Workload         Workload `json:"workload"`
	Memory           Memory   `json:"memory"`
	TokenBytes       float64  `json:"cache_bytes_per_token"`
	SourceTokenBytes float64  `json:"cross_cache_bytes_per_token"`
}

// Stored is a checkpoint; alone with a name and a total it is a result.
type Stored struct {
	Tensors    int   `json:"tensors"`
	Parameters int64 `json:"parameters"`
	Bytes      int64 `json:"bytes"`
}

// StoredOf returns what the header of a checkpoint says as JSON writes it; nil without one.
func StoredOf(h *tensors.Header) *Stored {
	if h == nil {
		return nil
	}
	return &Stored{Tensors: len(h.Tensors), Parameters: h.Parameters(), Bytes: h.Bytes()}
}

// Checkpoint is a result of count for weights without a configuration.
type Checkpoint struct {
	Shape struct {
		Name string `json:"name"`
	} `json:"shape"`
	Params struct {
		Total int64 `json:"total"`
	} `json:"params"`
	Stored *Stored `json:"stored"`
}

// Share is what one part of a model holds and does in a forward pass.
type Share struct {
	Name        string  `json:"name"`
	Params      int64   `json:"params"`
	Forward     float64 `json:"forward"`
	VectorFLOPs float64 `json:"vector"`
}

// SharesOf returns a breakdown as JSON writes it.
func SharesOf(shares []flops.Share) []Share {
	var out []Share
	for _, s := range shares {
		out = append(out, Share{s.Name, s.Params, s.Forward, s.Vector})
	}
	return out
}
