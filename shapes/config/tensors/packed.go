package tensors

import (
	"strings"
)

// packing is a way in which checkpoints store several parameters in one element, or parameters with
// tensors beside them that only scale them.
type packing struct {
	name   string
	suffix string // of the tensor that holds the parameters
	dtype  string // its type, "" for any
	needs  string // a tensor beside it, by suffix, that tells this way from others
	helper []string
	times  func(t *Tensor, beside func(suffix string) *Tensor) int64 // parameters of an element, 0 unknown
}

const wordBits = 32

// packings are tried in this order. The layouts are those of AutoGPTQ, AutoAWQ, bitsandbytes, MLX,
// compressed-tensors, the mxfp4 of GPT-OSS, and fine-grained float8.
var packings = []packing{
	{
		name: "GPTQ", suffix: ".qweight", needs: ".g_idx",
		helper: []string{".qzeros", ".scales", ".g_idx"},
		times: func(t *Tensor, beside func(string) *Tensor) int64 { // [in·bits/32, out], g_idx [in]
			return ratio(beside(".g_idx").number, t.Shape[0])
		},
	},
	{
		name: "AWQ", suffix: ".qweight", needs: ".scales", helper: []string{".qzeros", ".scales"},
		times: func(t *Tensor, beside func(string) *Tensor) int64 { // [in, out·bits/32], scales [groups, out]
			scales := beside(".scales")
			if len(scales.Shape) != 2 || scales.Shape[1] == t.Shape[1] {
				return 0 // GPTQ without g_idx: nothing says the bits
			}
			return ratio(scales.Shape[1], t.Shape[1])
		},
	},
	{
		name: "bitsandbytes 4-bit", suffix: ".weight", dtype: "U8", needs: ".weight.absmax",
		helper: []string{
			".weight.absmax", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map",
			".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4",
		},
		times: func(*Tensor, func(string) *Tensor) int64 { return 2 },
	},
	{
		name: "bitsandbytes 8-bit", suffix: ".weight", dtype: "I8", needs: ".SCB",
		helper: []string{".SCB", ".weight_format"},
		times:  func(*Tensor, func(string) *Tensor) int64 { return 1 },
	},
	{
		name: "MLX", suffix: ".weight", dtype: "U32", needs: ".scales", helper: []string{".scales", ".biases"},
		times: func(t *Tensor, beside func(string) *Tensor) int64 { // [out, in·bits/32], scales [out, in/64]
			const group = 64 // MLX's default
			scales := beside(".scales")
			n := len(t.Shape)
			if len(scales.Shape) != n || n < 2 {
				return 0
			}
			times := ratio(scales.Shape[n-1]*group, t.Shape[n-1])
			if times != 4 && times != 8 && times != 16 {
				return 0
			}
			return times
		},
	},
	{
		name: "compressed-tensors", suffix: ".weight_packed", needs: ".weight_scale",
		helper: []string{
			".weight_scale",
			".weight_shape",
			".weight_zero_point",
			".weight_g_idx",
			".weight_global_scale",
		},
		times: func(t *Tensor, _ func(string) *Tensor) int64 {
			if t.DType == "U8" {
				return 2 // four-bit floats
			}
			return 0 // the bits stand in the configuration alone
		},
	},
	{
		name: "mxfp4", suffix: "_blocks", dtype: "U8", needs: "_scales", helper: []string{"_scales"},
		times: func(*Tensor, func(string) *Tensor) int64 { return 2 },
	},
	{
		name: "float8", suffix: ".weight", dtype: "F8_E4M3", needs: ".weight_scale_inv",
		helper: []string{".weight_scale_inv"},
		times:  func(*Tensor, func(string) *Tensor) int64 { return 1 },
	},
	{
		name: "float8", suffix: ".weight", dtype: "F8_E4M3", needs: ".weight_scale",
		helper: []string{".weight_scale", ".input_scale", ".k_scale", ".v_scale"},
		times:  func(*Tensor, func(string) *Tensor) int64 { return 1 },
	},
}

// ratio returns a/b where it is a whole number between 2 and 32, else 0.
func ratio(a, b int64) int64 {
	if b <= 0 || a%b != 0 || a/b < 2 || a/b > wordBits {
		return 0
	}
	return a / b
}

// unpack sets how many parameters each tensor stands for: none for buffers, scales and second names
// of a tied tensor, several an element where they are packed.
func (h *Header) unpack() {
	if h.unpacked {
		return
	}
	byName := make(map[string]*Tensor, len(h.Tensors))
	for i := range h.Tensors {
		t := &h.Tensors[i]
		byName[t.Name], t.trained = t, t.number
		if isBuffer(t) {
			t.trained = 0
		}
	}
	h.Packed, h.unknown, h.unpacked = "", false, true
	helpers := map[string]bool{}
	for i := range h.Tensors {
		t := &h.Tensors[i]
		for n := range packings {
			p := &packings[n]
			base, ok := strings.CutSuffix(t.Name, p.suffix)
			if !ok || p.dtype != "" && t.DType != p.dtype || byName[base+p.needs] == nil ||
				len(t.Shape) == 0 {
				continue
			}
			beside := func(suffix string) *Tensor { return byName[base+suffix] }
			times := p.times(t, beside)
			h.Packed = p.name
			h.unknown = h.unknown || times == 0 && t.number > 0
			t.trained = t.number * times
			for _, s := range p.helper {
				helpers[base+s] = true
			}
			break
		}
	}
	for name := range helpers {
		if t := byName[name]; t != nil {
			t.trained = 0
		}
	}
	h.tied()
}

// tied leaves out the further names of a tied token table. T5 and BART always share one table
// between shared and embed_tokens; the head of the first T5, whose feed-forward has one input
// matrix, is that table as well.
func (h *Header) tied() {
	var shared *Tensor
	first := false
	for i := range h.Tensors {
		t := &h.Tensors[i]
		if t.Name == "shared.weight" || t.Name == "model.shared.weight" {
			shared = t
		}
		first = first || strings.HasSuffix(t.Name, "DenseReluDense.wi.weight")
	}
	if shared == nil {
		return
	}
	for i := range h.Tensors {
		t := &h.Tensors[i]
		same := len(t.Shape) == 2 && len(shared.Shape) == 2 && t.Shape[0] == shared.Shape[0] &&
			t.Shape[1] == shared.Shape[1]
		if same &&
			(EndsIn(t.Name, []string{"embed_tokens.weight"}) || first && t.Name == "lm_head.weight") {
			t.trained = 0
		}
	}
}
