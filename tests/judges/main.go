// Asks the field's own libraries what is right: a line of JSON in, a line of JSON out.
//
//	judges bases <in     {"text": …, "args": {…}, "platform": "linux/arm64"}  → {"names": […], "error": …}
//	judges ignored <in   {"patterns": …, "folder": …}                        → {"names": […], "error": …}
//	judges around <in    {"url": …, "words": "NO_PROXY"}                     → {"names": [url, where it goes around the proxy]}
//	judges reference <in "a name"                                            → {"names": [familiar], "error": …}
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"sort"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher/ignorefile"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/net/http/httpproxy"
)

type verdict struct {
	Names []string `json:"names"`
	Error string   `json:"error,omitempty"`
}

// resolver notes which images a build asks for.
type resolver struct {
	mutex sync.Mutex
	names map[string]bool
}

func (r *resolver) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.names[familiar(ref)] = true
	image, err := json.Marshal(ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}})
	return ref, digest.FromBytes(image), image, err
}

var capabilities = pb.Caps.CapSet(pb.Caps.All())

func bases(line []byte) (names []string, err error) {
	var in struct {
		Text, Platform string
		Args           map[string]string
	}
	if err := json.Unmarshal(line, &in); err != nil {
		return nil, err
	}
	if in.Platform == "" {
		in.Platform = "linux/amd64"
	}
	platform, err := platforms.Parse(in.Platform)
	if err != nil {
		return nil, err
	}
	found := resolver{names: map[string]bool{}}
	_, err = dockerfile2llb.Dockerfile2LLB(context.Background(), []byte(in.Text), dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildArgs: in.Args, BuildPlatforms: []ocispecs.Platform{platform}},
		TargetPlatform: &platform,
		MetaResolver:   &found,
		LLBCaps:        &capabilities,
	})
	for name := range found.names {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, err
}

func ignored(line []byte) (names []string, err error) {
	var in struct{ Patterns, Folder string }
	if err := json.Unmarshal(line, &in); err != nil {
		return nil, err
	}
	patterns, err := ignorefile.ReadAll(strings.NewReader(in.Patterns))
	if err != nil {
		return nil, err
	}
	err = fsutil.WalkDir(context.Background(), in.Folder, &fsutil.FilterOpt{ExcludePatterns: patterns}, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	sort.Strings(names)
	return names, err
}

func familiar(name string) string {
	named, err := reference.ParseDockerRef(name)
	if err != nil {
		return name
	}
	return reference.FamiliarString(named)
}

func names(line []byte) ([]string, error) {
	var name string
	if err := json.Unmarshal(line, &name); err != nil {
		return nil, err
	}
	_, err := reference.ParseDockerRef(name)
	if err != nil {
		return nil, err
	}
	return []string{familiar(name)}, nil
}

func around(line []byte) ([]string, error) {
	var in struct{ URL, Words string }
	if err := json.Unmarshal(line, &in); err != nil {
		return nil, err
	}
	address, err := url.Parse(in.URL)
	if err != nil {
		return nil, err
	}
	config := httpproxy.Config{HTTPProxy: "http://p:1", HTTPSProxy: "http://p:1", NoProxy: in.Words}
	proxy, err := config.ProxyFunc()(address)
	if err != nil || proxy != nil {
		return nil, err
	}
	return []string{in.URL}, nil
}

func main() {
	judge := map[string]func([]byte) ([]string, error){"around": around, "bases": bases, "ignored": ignored, "reference": names}[os.Args[1]]
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			found, err := judge(line)
			answer := verdict{Names: found}
			if found == nil {
				answer.Names = []string{}
			}
			if err != nil {
				answer.Error = err.Error()
			}
			if err := out.Encode(answer); err != nil {
				panic(err)
			}
		}
		if err != nil {
			return
		}
	}
}
