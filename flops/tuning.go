package flops

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Tuning says what of a model is trained and how the rest is kept. The zero value trains all of it.
type Tuning struct {
	// Rank is that of LoRA adapters, which are trained instead of the model; 0 = none.
	Rank    int
	Targets Targets // the matrices that have adapters; 0 = queries and values
	// Stored is how the matrices of the layers are kept that are not trained.
	Stored Storage
	Frozen Parts // what is not trained though there are no adapters, or has no adapters
}

// Targets is a set of the matrices of a layer.
type Targets uint8

// The targets; feed-forward is all its matrices, of experts too. A router is never one.
const (
	TargetQueries Targets = 1 << iota
	TargetKeys
	TargetValues
	TargetOutput
	TargetFFN
	allTargets = 1<<iota - 1

	// usualTargets are those of Hu et al. 2021 (arXiv 2106.09685, section 4.2) and of the PEFT
	// library's T5 and Llama.
	usualTargets = TargetQueries | TargetValues
)

// Parts is a set of parts of a model.
type Parts uint8

// The parts. Embeddings are the tables of tokens, types and learned positions with their norms and
// front ends; a tied head is its table's.
const (
	EncoderPart Parts = 1 << iota
	DecoderPart
	EmbeddingPart
	headPart // pooler and head
)

// Storage is how a matrix that is only read is kept.
type Storage uint8

const (
	Whole Storage = iota // in the working precision
	// one byte and a float32 for each output (Dettmers et al. 2022, arXiv 2208.07339, section 3)
	Int8
	// NF4: half a byte, and for each 64 elements a constant that is itself kept in a byte, 256 of
	// which share a float32 (Dettmers et al. 2023, arXiv 2305.14314, section 3)
	Int4
)

const (
	nf4Block      = 64
	constantBlock = 256
)

var (
	targetNames  = []string{"q", "k", "v", "o", "ffn"}
	partNames    = []string{"encoder", "decoder", "embeddings"}
	storageNames = []string{"whole", "int8", "int4"}
)

// Bytes returns what that many matrices of rows × outputs take, in bytes; width is that of an element
// in the working precision.
func (q Storage) Bytes(rows, outputs, width float64) float64 {
	n := rows * outputs
	switch q {
	case Int8:
		return n + floatBytes*outputs
	case Int4:
		return n * (0.5 + 1.0/nf4Block + floatBytes/float64(nf4Block*constantBlock))
	}
	return n * width
}

// String returns the word of --weights, e.g. "int4".
func (q Storage) String() string { return shapes.WordOf(storageNames, q) }

// MarshalText writes the word of [Storage.String].
func (q Storage) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText accepts int8, int4 (or nf4) and whole.
func (q *Storage) UnmarshalText(text []byte) error {
	if strings.EqualFold(string(text), "nf4") {
		*q = Int4
		return nil
	}
	return parseChoice(q, "storage of weights", storageNames, text)
}

// String returns the names, e.g. "q,v".
func (t Targets) String() string { return setNames(targetNames, uint8(t)) }

// String returns the names, e.g. "encoder,embeddings".
func (p Parts) String() string { return setNames(partNames, uint8(p)) }

func setNames(names []string, set uint8) string {
	var out []string
	for i, name := range names {
		if set>>i&1 == 1 {
			out = append(out, name)
		}
	}
	return strings.Join(out, ",")
}

func parseSet(kind string, names, words []string) (uint8, error) {
	var set uint8
	for _, word := range words {
		i := slices.Index(names, strings.ToLower(strings.TrimSpace(word)))
		if i < 0 {
			return 0, &shapes.KindError{Kind: kind, Value: word, Valid: names}
		}
		set |= 1 << i
	}
	return set, nil
}

// ParseParts reads parts separated by commas.
func ParseParts(text string) (Parts, error) {
	set, err := parseSet("part", partNames, strings.Split(text, ","))
	return Parts(set), err
}

// maxRank bounds the rank of an adapter: no matrix of the catalogue is wider.
const maxRank = 1 << 16

// ParseLoRA reads adapters: "rank=16", "rank=16,targets=q,v" or "rank=16,targets=all". Targets are
// q, k, v, o and ffn.
func ParseLoRA(text string) (rank int, targets Targets, err error) {
	words := map[string][]string{}
	key := ""
	for piece := range strings.SplitSeq(text, ",") {
		if name, value, found := strings.Cut(piece, "="); found {
			key, piece = strings.TrimSpace(name), value
		}
		words[key] = append(words[key], strings.TrimSpace(piece))
	}
	for key := range words {
		if key != "rank" && key != "targets" {
			return 0, 0, fmt.Errorf("not adapters: %q; allowed: rank=16 or rank=16,targets=q,v", text)
		}
	}
	value := strings.Join(words["rank"], ",")
	if rank, err = strconv.Atoi(value); err != nil || rank < 1 || rank > maxRank {
		return 0, 0, fmt.Errorf("rank of adapters: %q; allowed: 1 to %d, such as rank=16", value, maxRank)
	}
	switch asked := words["targets"]; {
	case len(asked) == 1 && asked[0] == "all":
		targets = allTargets
	case len(asked) > 0:
		targets, err = ParseTargets(strings.Join(asked, ","))
	}
	return rank, targets, err
}

// ParseTargets reads targets separated by commas.
func ParseTargets(text string) (Targets, error) {
	set, err := parseSet("target", targetNames, strings.Split(text, ","))
	return Targets(set), err
}

// Beside returns the matrices that have adapters.
func (t *Tuning) Beside() Targets {
	switch {
	case t.Rank == 0:
		return 0
	case t.Targets == 0:
		return usualTargets
	}
	return t.Targets
}

// whole says whether all of the model is trained.
func (t *Tuning) whole() bool { return t.Rank == 0 && t.Frozen == 0 }

// Trains says whether the model's own parameters of a part are trained.
func (t *Tuning) Trains(p Parts) bool { return t.Rank == 0 && t.Frozen&p == 0 }

// Adapts says whether the matrices of a stack that the set names have adapters.
func (t *Tuning) Adapts(p Parts, set Targets) bool {
	return t.Beside()&set != 0 && t.Frozen&p == 0
}

// Flows says through which stacks gradients run: where something is trained in the layers or before
// them. A decoder passes on what its encoder needs.
func (t *Tuning) Flows(s *shapes.Shape) (encoder, decoder bool) {
	adapted := t.Beside()
	trains := func(p Parts) bool {
		return t.Trains(p) || t.Trains(EmbeddingPart) || t.Adapts(p, adapted)
	}
	encoder = s.Encoder.Layers > 0 && trains(EncoderPart)
	return encoder, s.Decoder.Layers > 0 && (encoder || trains(DecoderPart))
}

// Validate returns nil or an [*shapes.InvalidError].
func (t *Tuning) Validate(s *shapes.Shape) error {
	if *t == (Tuning{}) {
		return nil
	}
	var faults shapes.Faults
	if t.Rank < 0 || t.Rank > maxRank {
		faults.Add("rank", t.Rank, fmt.Sprintf("1 to %d", maxRank))
	}
	if t.Stored != Whole && t.Rank == 0 {
		faults.Add("weights", t.Stored, "with adapters, as quantised weights are not trained")
	}
	if TrainedParameters(s, t) == 0 && len(faults) == 0 {
		faults.Add("freeze", t.Frozen, "parts that leave something to train")
	}
	return faults.Invalid(s.Name, "fine-tuning")
}

// part is the part of a model that an operation belongs to.
func (o *Op) part(s *shapes.Shape) Parts {
	switch {
	case o.InLayer, strings.HasSuffix(o.Name, ".relative_bias"),
		strings.HasSuffix(o.Name, ".relative_table"), strings.HasSuffix(o.Name, ".final_norm"):
		if strings.HasPrefix(o.Name, "encoder.") {
			return EncoderPart
		}
		return DecoderPart
	case o.Component == Embedding || o.Component == Positions || o.Component == FrontendInput,
		o.Name == "head.logits" && s.Head != shapes.HeadUntied:
		return EmbeddingPart
	}
	return headPart
}

// target is the target that an operation of a layer is, 0 where it is none.
func (o *Op) target() Targets {
	if !o.InLayer || o.Params == 0 || o.Matmul == (Matmul{}) {
		return 0
	}
	switch name := o.Name[strings.LastIndexByte(o.Name, '.')+1:]; name {
	case "q":
		return TargetQueries
	case "k":
		return TargetKeys
	case "v":
		return TargetValues
	case "kv":
		return TargetKeys | TargetValues
	case "o":
		return TargetOutput
	case "in", "gate", "out":
		return TargetFFN
	}
	return 0
}

// TrainedParameters returns how many parameters a tuning trains: of what is not frozen, or of the
// adapters, r·(inputs + outputs) for each matrix they are beside.
//
// Source: Hu et al. 2021 (arXiv 2106.09685, section 4.1).
func TrainedParameters(s *shapes.Shape, t *Tuning) int64 {
	if t.whole() {
		return CountParameters(s).Total
	}
	trained := int64(0)
	ledger := NewLedger(s, Workload{Batch: 1, EncoderLength: 1, DecoderLength: 1})
	for i := range ledger {
		o := &ledger[i]
		part := o.part(s)
		if t.Trains(part) || part == EmbeddingPart && o.Name == "head.logits" && t.Rank == 0 {
			trained += int64(o.Owners) * o.Params
		}
		if t.Adapts(part, o.target()) {
			trained += int64(o.Owners*max(1, o.Experts)) * int64(t.Rank) * int64(o.Matmul.N+o.Matmul.K)
		}
	}
	return trained
}

// CountTuned returns the FLOPs of one training step under the matmul convention, and those that the
// recompute mode repeats. Without a tuning they are [CountUnder]'s and [recomputed]'s.
//
//	forward   that of the model + 2·tokens·r·(inputs + outputs) for each adapter
//	backward  of a product: once for the gradient of its input where gradients run, once for that of
//	          its weights where they are trained; of an attention core and of an adapter: twice
//
// Not modelled: the gradient of a first layer's input, which nothing needs where the embeddings are
// frozen.
func CountTuned(s *shapes.Shape, w Workload, x *Execution) (count Count, repeated float64) {
	t := &x.Tuning
	if t.whole() {
		return CountUnder(MatmulConvention, s, w, x.Recompute), recomputed(s, w, x.Recompute)
	}
	encoder, decoder := t.Flows(s)
	var forward, backward float64
	ledger := NewLedger(s, w)
	for i := range ledger {
		o := &ledger[i]
		part, work := o.part(s), o.flops()
		trains, flows := t.Trains(part), false
		switch part {
		case EncoderPart:
			flows = encoder
		case DecoderPart:
			flows = decoder
		case EmbeddingPart:
			flows = trains
		}
		if part == headPart || o.Name == "head.logits" {
			flows = encoder || decoder
		}
		read := flows
		if o.Component == DecoderCrossAttention && o.target()&(TargetKeys|TargetValues) != 0 {
			read = encoder
		}
		forward += work
		switch {
		case o.Core && flows:
			backward += 2 * work
		case !o.Core:
			backward += work * (once(read) + once(trains))
		}
		if t.Adapts(part, o.target()) {
			m := o.Matmul
			added := 2 * float64(o.Layers) * float64(m.Count*m.M) * float64(t.Rank) * float64(m.N+m.K)
			forward, backward = forward+added, backward+2*added
		}
		if flows &&
			(x.Recompute == RecomputeFull && o.InLayer || x.Recompute == RecomputeSelective && o.Core) {
			repeated += work
		}
	}
	return step(MatmulConvention, forward, backward), repeated
}

func once(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
