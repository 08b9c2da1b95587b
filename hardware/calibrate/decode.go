package calibrate

import (
	"math"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/measured"
)

// firstOfDecoding is the first constant that only generation reads; the others follow it.
var firstOfDecoding = func() int {
	k := 0
	for hardware.Constant(k).OfTraining() {
		k++
	}
	return k
}()

// decodeRuns turns rows of generation speeds into runs.
func decodeRuns(rows []data.DecodeTime) (runs []measured.Run, unscored []Unscored) {
	for _, row := range rows {
		some, left := measured.ReadDecode(row)
		runs = append(runs, some...)
		for _, u := range left {
			unscored = append(unscored, Unscored{u.ID, u.Reason})
		}
	}
	return runs, unscored
}

// generateSeconds returns the predicted time of a batch of sequences whose lengths differ: it runs
// until the longest has ended, which of B lengths with the spread s is about
//
//	T·(1 + s·√(2·ln B))
//
// Source: the largest of B normal variables, Gumbel 1958, Statistics of Extremes, section 4.2.
func generateSeconds(m *hardware.Machine, r *hardware.Run, c *hardware.Constants) float64 {
	longest := 1 + c[hardware.LengthSpread]*math.Sqrt(2*math.Log(float64(r.Workload.Batch)))
	return m.GenerateSeconds(r, float64(r.Workload.DecoderLength)*longest)
}

func logGenerate(r *hardware.Run, c *hardware.Constants) float64 {
	m, err := hardware.NewMachineWith(&r.Profile, r.Execution, r.Software, c)
	if err != nil {
		return math.NaN()
	}
	return math.Log(generateSeconds(&m, r, c))
}

func decodeUnknowns() (out []unknown) {
	for c := firstOfDecoding; c < hardware.ConstantCount; c++ {
		out = append(out, constantUnknown(c))
	}
	return out
}

// fitDecode fits the constants of generation to runs; those of training stay as shipped.
func fitDecode(runs []measured.Run) posterior {
	prior := independent(decodeUnknowns())
	return solve(prior, observations{weight: evenly(len(runs)), residual: func(i int, theta, slope []float64) float64 {
		r := &runs[i].Run
		c := hardware.Shipped(&r.Profile, r.Software).Constants
		for j, v := range theta {
			c[firstOfDecoding+j] = math.Exp(v)
		}
		at := logGenerate(r, &c)
		for j := range theta {
			moved := c
			moved[firstOfDecoding+j] *= math.Exp(decodeNudge)
			slope[j] = (logGenerate(r, &moved) - at) / decodeNudge
		}
		return math.Log(runs[i].Seconds) - at
	}}, prior.mean, fitSteps)
}

const decodeNudge = 1e-4

// validateDecoding scores generation speeds by constants fitted to the rows of other devices. The
// baseline is what counting decoder layers says: the time of a token and layer is the median of the
// training rows of the same stack.
func validateDecoding(rows []data.DecodeTime) Validation {
	runs, unscored := decodeRuns(rows)
	v := Validation{HoldOut: ByDevice, Unscored: unscored, Decoding: true}
	for _, device := range distinct(runs, func(r *measured.Run) string { return r.Device }) {
		var train, test []measured.Run
		for i := range runs {
			if runs[i].Device == device {
				test = append(test, runs[i])
			} else {
				train = append(train, runs[i])
			}
		}
		post := fitDecode(train)
		for i := range test {
			known := hardware.Shipped(&test[i].Run.Profile, test[i].Run.Software)
			for j, value := range post.theta {
				known.Constants[firstOfDecoding+j] = math.Exp(value)
				for k := range post.theta {
					known.Covariance[firstOfDecoding+j][firstOfDecoding+k] = post.covariance.At(j, k)
				}
			}
			for _, h := range hardware.HostSDs {
				if !h.Constant.OfTraining() {
					known.Covariance[h.Constant][h.Constant] += h.SD * h.SD
				}
			}
			v.Rows = append(v.Rows, scoreDecode(&test[i], &known, train))
		}
	}
	return v
}

// validateNewDecoding scores a user's rows of generation speeds by the shipped constants.
func validateNewDecoding(rows []data.DecodeTime) Validation {
	runs, unscored := decodeRuns(rows)
	v := Validation{HoldOut: Given, Unscored: unscored, Decoding: true}
	train, _ := decodeRuns(data.DecodeTimes())
	for i := range runs {
		known := hardware.Shipped(&runs[i].Run.Profile, runs[i].Run.Software)
		v.Rows = append(v.Rows, scoreDecode(&runs[i], &known, train))
	}
	return v
}

func scoreDecode(r *measured.Run, c *hardware.Calibration,
	train []measured.Run,
) Scored {
	seconds := math.Exp(logGenerate(&r.Run, &c.Constants))
	sd := math.Sqrt(c.GenerationVariance(&r.Run, func(m *hardware.Machine) float64 {
		return generateSeconds(m, &r.Run, &c.Constants)
	}, seconds))
	s := scored(r, seconds, sd, baseline{})
	s.Class = r.Run.Software.Stack
	var each []float64
	layers := func(run *hardware.Run) float64 {
		return float64(run.Shape.Decoder.Layers * run.Workload.DecoderLength)
	}
	for i := range train {
		if train[i].Run.Software.Stack == r.Run.Software.Stack {
			each = append(each, train[i].Seconds/layers(&train[i].Run))
		}
	}
	s.Baseline = fit.Median(each) * layers(&r.Run)
	return s
}
