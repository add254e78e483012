// A fleeting plugin for machines that are there already: the tests' own, in the place of the
// official one, which cannot be fetched everywhere. A machine counts as running while the group
// has been asked for it.
package main

import (
	"context"
	"fmt"
	"sort"
	"sync"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/plugin"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

type machine struct {
	InternalAddr string `json:"internal_addr"`
	ExternalAddr string `json:"external_addr"`
	Username     string `json:"username"`
	Password     string `json:"password"`
}

type group struct {
	Instances map[string]machine `json:"instances"`

	mutex     sync.Mutex
	asked     map[string]bool
	connector provider.ConnectorConfig
}

func (g *group) Init(_ context.Context, _ hclog.Logger, said provider.Settings) (provider.ProviderInfo, error) {
	if len(g.Instances) == 0 {
		return provider.ProviderInfo{}, fmt.Errorf("plugin_config.instances is empty")
	}
	g.asked, g.connector = map[string]bool{}, said.ConnectorConfig
	return provider.ProviderInfo{ID: "static", MaxSize: len(g.Instances), Version: "test"}, nil
}

func (g *group) Update(_ context.Context, tell func(string, provider.State)) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for name := range g.asked {
		tell(name, provider.StateRunning)
	}
	return nil
}

func (g *group) Increase(_ context.Context, count int) (int, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	names := make([]string, 0, len(g.Instances))
	for name := range g.Instances {
		names = append(names, name)
	}
	sort.Strings(names)
	given := 0
	for _, name := range names {
		if given < count && !g.asked[name] {
			g.asked[name] = true
			given++
		}
	}
	return given, nil
}

func (g *group) Decrease(_ context.Context, names []string) ([]string, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for _, name := range names {
		delete(g.asked, name)
	}
	return names, nil
}

func (g *group) ConnectInfo(_ context.Context, name string) (provider.ConnectInfo, error) {
	one, known := g.Instances[name]
	if !known {
		return provider.ConnectInfo{}, fmt.Errorf("no machine %s", name)
	}
	info := provider.ConnectInfo{ConnectorConfig: g.connector, ID: name}
	info.InternalAddr, info.ExternalAddr = one.InternalAddr, one.ExternalAddr
	info.OS, info.Arch, info.Protocol = "linux", "amd64", provider.ProtocolSSH
	if one.Username != "" {
		info.Username, info.Password = one.Username, one.Password
	}
	return info, nil
}

func main() {
	plugin.Serve(&group{})
}
