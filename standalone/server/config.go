package server

import (
	"maps"
	"net"
	"strconv"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
)

// What a file was created with cannot be changed later.
const (
	clusterName   = "active"
	historyShards = 1 // SQLite writes one transaction at a time: more shards only cost
	storeName     = "sqlite"
)

func (o Options) dynamicConfig() dynamicconfig.StaticClient {
	settings := maps.Clone(dynamicConfig)
	if o.SuggestedEvents > 0 {
		settings[dynamicconfig.HistoryCountSuggestContinueAsNew.Key()] = o.SuggestedEvents
	}
	return settings
}

var dynamicConfig = dynamicconfig.StaticClient{
	// By default a queue is polled 20 times a second, so that every step of a
	// workflow that follows at once waits 50 ms for the next poll.
	dynamicconfig.TransferProcessorMaxPollRPS.Key():   1000,
	dynamicconfig.TimerProcessorMaxPollRPS.Key():      1000,
	dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 1000,
	// Whoever waits for a workflow to end is told through a channel that drops
	// what comes too fast; then he hears of it when his poll expires, by
	// default after 20 s.
	dynamicconfig.HistoryLongPollExpirationInterval.Key(): 2 * time.Second,
	// 10 a second is for a cluster; the command line and the web interface list more often.
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
	// It would ask a server of Temporal's for newer versions.
	dynamicconfig.EnableServerVersionCheck.Key(): false,
}

// configure makes the configuration of a server of all four services. A server
// keeps and changes what it is given, so each start needs a new one.
func (p ports) configure(store *config.SQL) *config.Config {
	var c config.Config
	c.Global.Membership.BroadcastAddress = host
	c.Services = map[string]config.Service{}
	for service, port := range p.services() {
		c.Services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: host}}
	}
	c.PublicClient.HostPort = address(p.frontend)
	c.Persistence = config.Persistence{
		DefaultStore:     storeName,
		VisibilityStore:  storeName,
		NumHistoryShards: historyShards,
		DataStores:       map[string]config.DataStore{storeName: {SQL: store}},
	}
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        clusterName,
		CurrentClusterName:       clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{
			clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(p.frontend)},
		},
	}
	c.DCRedirectionPolicy.Policy = "noop"
	c.Archival.History.State = "disabled"
	c.Archival.Visibility.State = "disabled"
	c.NamespaceDefaults.Archival.History.State = "disabled"
	c.NamespaceDefaults.Archival.Visibility.State = "disabled"
	return &c
}

// hosts tells the services where the others are, so that they need no gossip
// and no ports for it.
func (p ports) hosts() map[primitives.ServiceName]static.Hosts {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for service, port := range p.services() {
		hosts[service] = static.SingleLocalHost(address(port))
	}
	return hosts
}

func (p ports) services() map[primitives.ServiceName]int {
	return map[primitives.ServiceName]int{
		primitives.FrontendService: p.frontend,
		primitives.HistoryService:  p.history,
		primitives.MatchingService: p.matching,
		primitives.WorkerService:   p.worker,
	}
}

func address(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
