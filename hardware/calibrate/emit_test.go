package calibrate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// python returns an interpreter that has PyTorch, or skips the test.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import torch").Run() == nil {
			return path
		}
	}
	t.Skip("no Python with PyTorch here (Debian: python3-torch): the twin is not compared with the kernel")
	return ""
}

func parse(t *testing.T, ref string) shapes.Shape {
	t.Helper()
	s, err := shapes.Parse(ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// script writes the twin of points into a folder.
func script(t *testing.T, folder string, points []Point) string {
	t.Helper()
	var text bytes.Buffer
	if err := EmitPyTorch(&text, points); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "twin.py")
	if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The twin computes what the kernel computes: loss and gradient norm of one batch with the kernel's weights, in float32.
func TestTwinAgreesWithTheKernel(t *testing.T) {
	const tolerance = 2e-5 // relative: float32 sums of some hundred thousand terms in another order
	interpreter := python(t)
	for _, ref := range []string{
		"t5-tiny/el=2,dl=3,vocab=384",
		"t5-v1_1-small/el=3,dl=1,vocab=384,dm=128,nh=2",
	} {
		t.Run(ref, func(t *testing.T) {
			folder := t.TempDir()
			s := parse(t, ref)
			o := kernel.Options{Batch: 3, EncoderLength: 150, DecoderLength: 40, Threads: 2, Seed: 7} // longer than the last bucket starts
			m, err := kernel.New(&s, o)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			weights := filepath.Join(folder, "weights.safetensors")
			file, err := os.Create(weights)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(m.Save(file, nil), file.Close()); err != nil {
				t.Fatal(err)
			}
			b := m.NewBatch()
			kernel.RandomTokens{Vocab: s.Vocab, Seed: 3}.Fill(1, &b)
			want, err := m.Step(&b, 1e-4)
			if err != nil {
				t.Fatal(err)
			}
			rows := func(ids []int32, length int) [][]int32 {
				var out [][]int32
				for ; len(ids) > 0; ids = ids[length:] {
					out = append(out, ids[:length])
				}
				return out
			}
			description, err := json.Marshal(map[string]any{
				"shape": twinShapeOf(&s), "weights": weights, "inputs": rows(b.Inputs, o.EncoderLength), "targets": rows(b.Targets, o.DecoderLength),
			})
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(folder, "case.json")
			if err := os.WriteFile(name, description, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(interpreter, script(t, folder, nil), "--check", name).Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr(err))
			}
			var got struct {
				Loss         float64 `json:"loss"`
				GradientNorm float64 `json:"gradient_norm"`
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			t.Logf("loss %.7g and %.7g, gradient norm %.7g and %.7g", got.Loss, want.NLL, got.GradientNorm, want.GradientNorm)
			if math.Abs(got.Loss/want.NLL-1) > tolerance || math.Abs(got.GradientNorm/want.GradientNorm-1) > tolerance {
				t.Errorf("the twin's loss %v and gradient norm %v, the kernel's %v and %v", got.Loss, got.GradientNorm, want.NLL, want.GradientNorm)
			}
		})
	}
}

// What the twin prints is what the import reads, alone and as two processes of a cluster.
func TestTwinPrintsWhatTheImportReads(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PyTorch several times")
	}
	interpreter := python(t)
	folder := t.TempDir()
	w := flops.Workload{Batch: 2, EncoderLength: 16, DecoderLength: 8}
	twin := script(t, folder, []Point{{parse(t, "t5-tiny/el=1,dl=2,vocab=384"), w}})
	few := []string{twin, "--steps", "3", "--warmup", "1"}
	for name, args := range map[string][]string{
		"float32": append(few, "--precision", "fp32"),
		"mixed":   append(few, "--batch", "1,4"),
		"ddp":     append(few, "--precision", "fp32", "--parallel", "ddp"),
	} {
		t.Run(name, func(t *testing.T) {
			processes := 1
			if name == "ddp" {
				processes = 2
			}
			out := together(t, processes, interpreter, args...)
			steps, err := ReadSteps("steps.jsonl", bytes.NewReader(out), base(t))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want := map[string]int{"float32": 1, "mixed": 2, "ddp": 1}[name]
			if len(steps) != want || steps[0].Run.Workload.EncoderLength != 16 || steps[0].Run.Execution.Attention != flops.UnfusedAttention {
				t.Errorf("%d steps: %+v", len(steps), steps)
			}
			if name == "ddp" && (steps[0].Run.Layout.DP != 2 || steps[0].Run.Workload.Batch != 4) {
				t.Errorf("two processes: %+v", steps[0].Run)
			}
		})
	}
}

// together runs a command once for each rank, as torchrun does (Debian's own does not run under its Python), and returns what they print.
func together(t *testing.T, processes int, name string, args ...string) []byte {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		t.Skipf("no local network: %v", err)
	}
	_, number, err := net.SplitHostPort(port.Addr().String())
	if err := errors.Join(err, port.Close()); err != nil {
		t.Fatal(err)
	}
	var running []*exec.Cmd
	outs := make([]bytes.Buffer, processes)
	faults := make([]bytes.Buffer, processes)
	for rank := range processes {
		c := exec.Command(name, args...)
		c.Env = append(os.Environ(), fmt.Sprint("WORLD_SIZE=", processes), fmt.Sprint("RANK=", rank), fmt.Sprint("LOCAL_RANK=", rank), "MASTER_ADDR=127.0.0.1", "MASTER_PORT="+number)
		c.Stdout, c.Stderr = &outs[rank], &faults[rank]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, c)
	}
	var all []byte
	for rank, c := range running {
		if err := c.Wait(); err != nil {
			t.Errorf("rank %d: %v\n%s", rank, err, faults[rank].String())
		}
		all = append(all, outs[rank].Bytes()...)
	}
	return all
}

func stderr(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// A shape that the kernel cannot train has no twin.
func TestTwinRefusesOtherFamilies(t *testing.T) {
	var unsupported *kernel.UnsupportedError
	err := EmitPyTorch(&bytes.Buffer{}, []Point{{Shape: parse(t, "gpt2")}})
	if !errors.As(err, &unsupported) {
		t.Errorf("gpt2: %v", err)
	}
}

// The twin's design is what its comment says.
func TestTwinDesign(t *testing.T) {
	points := TwinDesign()
	seen := map[string]bool{}
	for _, p := range points {
		seen[p.Shape.Name] = true
	}
	const asked = 30 // shapes and batches that the calibration of an accelerator wants at least
	if len(points) < asked || len(seen) < asked/2 {
		t.Errorf("%d points of %d shapes", len(points), len(seen))
	}
	var text bytes.Buffer
	if err := EmitPyTorch(&text, points); err != nil {
		t.Fatal(err)
	}
	if strings.Count(text.String(), `"name"`) < len(points) || strings.Contains(text.String(), "{{") {
		t.Error("the script does not hold its points")
	}
}
