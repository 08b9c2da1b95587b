package flops

import "math"

// Optimizer names an optimizer by the state it keeps.
type Optimizer uint8

const (
	Adam Optimizer = iota // two moments per parameter (Kingma & Ba 2014, arXiv 1412.6980)
	// factored second moment, no first moment (Shazeer & Stern 2018, arXiv 1804.04235)
	Adafactor
	// two moments in one byte each, with one float32 scale per block (Dettmers et al. 2021, arXiv
	// 2110.02861)
	Adam8bit
	SGD         // no state
	SGDMomentum // one moment
	// one moment for the matrices of the layers, Adam for the rest (Jordan et al. 2024)
	Muon
)

const (
	// smaller matrices keep a full second moment: min_dim_size_to_factor of the T5 and Optax
	// implementations
	adafactorMinDim = 128
	adam8bitBlock   = 2048 // elements that share a scale (Dettmers et al. 2021, section 2.1)
	adam8bitMinimum = 4096 // smaller tensors keep float32 moments: min_8bit_size of bitsandbytes
	floatBytes      = 4
)

// matrix is one weight tensor as a device holds it. A vector has one column.
type matrix struct {
	rows, cols float64 // held by the device
	factored   bool    // both dimensions of the whole tensor reach adafactorMinDim
	hidden     bool    // a matrix inside a layer, as against tables, head and vectors
}

// stateBytes returns the optimizer state of one tensor, in bytes.
//
//	adam 2·b·n   sgd-momentum b·n   sgd 0   muon b·n in layers, 2·b·n elsewhere
//	adafactor b·(rows + columns) if both dimensions of the whole matrix are ≥ 128, else b·n
//	adam8bit 2·(n + 4·⌈n/2048⌉) from 4,096 elements, else 8·n
//
// n = rows·columns, b bytes of a state element. The matrix counts, not the model: biases, norms and
// small tables are never factored. A row or column statistic whose own dimension is not split is
// held by every device of the tensor-parallel group.
func stateBytes(o Optimizer, m matrix, b float64) float64 {
	n := m.rows * m.cols
	switch {
	case o == SGD:
		return 0
	case o == SGDMomentum, o == Muon && m.hidden:
		return b * n
	case o == Adafactor && m.factored:
		return b * (m.rows + m.cols)
	case o == Adafactor:
		return b * n
	case o == Adam8bit && n >= adam8bitMinimum:
		return 2 * (n + floatBytes*math.Ceil(n/adam8bitBlock))
	case o == Adam8bit:
		return 2 * floatBytes * n
	default:
		return 2 * b * n
	}
}

// updateElements returns how many elements of the largest tensor the optimizer computes at once
// outside its state: the update of Adafactor and the orthogonalised momentum of Muon are built
// before they are applied; the other optimizers update element by element in one kernel.
func updateElements(o Optimizer, largest float64) float64 {
	if o == Adafactor || o == Muon {
		return largest
	}
	return 0
}
