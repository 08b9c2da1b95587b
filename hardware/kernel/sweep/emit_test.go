package sweep

import (
	"errors"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func array() Array {
	return Array{
		Name: "Tiny T5s", Command: []string{"deepnarrow", "sweep", "--grid", "it's a grid.yaml"},
		EntryFlag: "--entry",
		Entries:   12, Threads: 4, MemoryMiB: 2048, Limit: 90 * time.Second,
		Image: "registry.example/deepnarrow:1", Volume: "books",
		Paths: []string{"/data/book.txt", "/data/runs/1"},
	}
}

// The script is what sbatch documents: directives first, then a command that reads
// SLURM_ARRAY_TASK_ID.
func TestEmitSlurm(t *testing.T) {
	const want = `#!/bin/sh
#SBATCH --job-name=tiny-t5s
#SBATCH --array=0-11
#SBATCH --cpus-per-task=4
#SBATCH --mem=2048M
#SBATCH --time=2
exec deepnarrow sweep --grid 'it'\''s a grid.yaml' --entry "$SLURM_ARRAY_TASK_ID"
`
	got, err := Emit(Slurm, array())
	if err != nil || got != want {
		t.Errorf("got %s, error %v\nwant %s", got, err, want)
	}
}

// The fields are those of batch/v1 Job; the number of a task of an indexed Job is in
// JOB_COMPLETION_INDEX.
func TestEmitKubernetes(t *testing.T) {
	a := array()
	a.Command = append(a.Command, "$(HOME)")
	text, err := Emit(Kubernetes, a)
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       struct {
			CompletionMode           string `yaml:"completionMode"`
			Completions, Parallelism int
			Template                 struct {
				Spec struct {
					RestartPolicy         string `yaml:"restartPolicy"`
					ActiveDeadlineSeconds int    `yaml:"activeDeadlineSeconds"`
					Containers            []struct {
						Name, Image string
						Command     []string
						WorkingDir  string `yaml:"workingDir"`
						Mounts      []struct {
							Name      string
							MountPath string `yaml:"mountPath"`
						} `yaml:"volumeMounts"`
						Resources struct{ Requests map[string]string }
					}
					Volumes []struct {
						Name  string
						Claim struct {
							Name string `yaml:"claimName"`
						} `yaml:"persistentVolumeClaim"`
					}
				}
			}
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), &job, yaml.Strict()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	pod := job.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Metadata.Name != "tiny-t5s" ||
		job.Spec.CompletionMode != "Indexed" ||
		job.Spec.Completions != 12 || pod.RestartPolicy != "Never" ||
		pod.ActiveDeadlineSeconds != 90 || len(pod.Containers) != 1 {
		t.Fatalf("job %+v", job)
	}
	c := pod.Containers[0]
	if len(c.Mounts) != 1 || c.Mounts[0].MountPath != "/data" || c.WorkingDir != "/data" ||
		len(pod.Volumes) != 1 || pod.Volumes[0].Name != c.Mounts[0].Name ||
		pod.Volumes[0].Claim.Name != "books" {
		t.Errorf("volume %+v of %+v", c, pod.Volumes)
	}
	want := []string{
		"deepnarrow", "sweep", "--grid", "it's a grid.yaml", "$$(HOME)", "--entry",
		"$(JOB_COMPLETION_INDEX)",
	}
	if len(c.Command) != len(want) || c.Resources.Requests["memory"] != "2048Mi" ||
		c.Image != a.Image {
		t.Fatalf("container %+v", c)
	}
	for i := range want {
		if c.Command[i] != want[i] {
			t.Errorf("word %d is %q, want %q", i, c.Command[i], want[i])
		}
	}
}

func TestEmitRefuses(t *testing.T) {
	for field, change := range map[string]func(a *Array){
		"entries": func(a *Array) { a.Entries = 0 },
		"command": func(a *Array) { a.Command = nil },
		"image":   func(a *Array) { a.Image = "" },
		"volume":  func(a *Array) { a.Volume = "" },
		"paths":   func(a *Array) { a.Paths[1] = "runs" },
		"path":    func(a *Array) { a.Paths[0] = "../book.txt" },
	} {
		a := array()
		change(&a)
		var bad *TargetError
		if _, err := Emit(Kubernetes, a); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: error %v", field, err)
		}
	}
	var bad *TargetError
	if _, err := Emit("pbs", array()); !errors.As(err, &bad) || bad.Field != "target" {
		t.Errorf("unknown target: error %v", err)
	}
}

func TestLabels(t *testing.T) {
	for name, want := range map[string]string{
		"": "sweep", "--": "sweep", "Über 2": "ber-2",
		"a/b": "a-b",
	} {
		if got := label(name); got != want {
			t.Errorf("label(%q) = %q, want %q", name, got, want)
		}
	}
}
