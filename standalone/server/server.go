// Package server runs a Temporal server and its web interface inside this
// process, on SQLite, for one machine.
//
// It knows nothing of Skladom: it is given a file, ports, a namespace and
// search attributes. It listens on 127.0.0.1 only, because nobody logs in to
// it, writes nothing but its file (with SQLite's -wal and -shm beside it),
// phones nowhere and heeds no TEMPORAL_* variable: those speak of other servers.
package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// NoUI as Options.UIPort leaves the web interface out.
const NoUI = -1

const host = "127.0.0.1"

// Options are what a server needs to know. The zero value is a server in
// memory, on free ports, with the namespace "default".
type Options struct {
	File             string // SQLite file, created where it is missing; "" keeps everything in memory
	Port             int    // of gRPC; 0 takes a free one
	UIPort           int    // of the web interface; 0 takes a free one, NoUI none
	Namespace        string // created where it is missing; "" is "default"
	SearchAttributes map[string]enums.IndexedValueType
	Logger           hclog.Logger // takes warnings and errors; the rest goes to it at trace
	SuggestedEvents  int          // of a history, from which the server suggests to continue as new; 0 leaves it to Temporal: 4096
}

// Server is a running Temporal server.
type Server struct {
	options  Options
	ports    ports
	store    *config.SQL
	log      *logger
	conn     *grpc.ClientConn
	temporal temporal.Server
	ui       *webUI
	stop     sync.Once
}

// Start starts a server and returns when it serves: its namespace exists, its
// search attributes are known to all of its services and the web interface
// answers. ctx bounds the start alone. A port that cannot be had is an error
// that names it and the flag (--port, --ui-port) to choose another with.
func Start(ctx context.Context, options Options) (_ *Server, err error) {
	if options.Namespace == "" {
		options.Namespace = "default"
	}
	if options.Logger == nil {
		options.Logger = hclog.NewNullLogger()
	}
	s := &Server{options: options, log: newLogger(options.Logger)}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()

	if s.ports, err = choosePorts(options.Port); err != nil {
		return nil, err
	}
	if options.UIPort != NoUI {
		if s.ui, err = listenUI(options.UIPort); err != nil {
			return nil, err
		}
	}
	if s.store, err = openStore(options.File, options.Namespace, options.SearchAttributes); err != nil {
		return nil, err
	}
	if s.conn, err = dial(s.Address()); err != nil {
		return nil, err
	}
	if err := s.boot(ctx); err != nil {
		return nil, err
	}
	if err := s.completeSearchAttributes(ctx); err != nil {
		return nil, err
	}
	if s.ui != nil {
		return s, s.ui.serve(ctx, s.Address(), options.Namespace, options.Logger)
	}
	return s, nil
}

// Address is where gRPC is served, host and port.
func (s *Server) Address() string { return address(s.ports.frontend) }

// UIURL is where the web interface is, or "" without one.
func (s *Server) UIURL() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.url
}

// Stop stops the server and waits until it has. Workers and clients are to be
// stopped before. It may be called more than once.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.log.quiet.Store(true)
		if s.ui != nil {
			s.ui.stop()
		}
		if s.conn != nil {
			_ = s.conn.Close()
		}
		if s.temporal != nil {
			_ = s.temporal.Stop() // its failures are in its log
		}
	})
}

// boot starts the Temporal server and waits until it serves.
func (s *Server) boot(ctx context.Context) (err error) {
	defer func() { // the server's way out of a start that cannot succeed
		switch p := recover().(type) {
		case nil:
		case fatal:
			err = fmt.Errorf("start the Temporal server: %s", p)
		default:
			panic(p)
		}
	}()
	server, err := temporal.NewServer(
		temporal.WithConfig(s.ports.configure(s.store)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(s.ports.hosts()),
		temporal.WithDynamicConfigClient(s.options.dynamicConfig()),
		temporal.WithLogger(s.log),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
	)
	if err != nil {
		return fmt.Errorf("prepare the Temporal server: %w", err)
	}
	s.temporal = server
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the Temporal server: %w", err)
	}
	return waitServing(ctx, s.conn)
}

// completeSearchAttributes adds the search attributes that an older file lacks.
// The services learn of new ones one after the other, seconds apart, and a
// workflow task that meets one that does not yet know fails; so the server is
// started again, once in the life of a file.
func (s *Server) completeSearchAttributes(ctx context.Context) error {
	operator := operatorservice.NewOperatorServiceClient(s.conn)
	known, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: s.options.Namespace})
	if err != nil {
		return fmt.Errorf("list the search attributes of namespace %q: %w", s.options.Namespace, err)
	}
	missing := maps.Clone(s.options.SearchAttributes)
	for _, name := range slices.Sorted(maps.Keys(s.options.SearchAttributes)) {
		have, ok := known.GetCustomAttributes()[name]
		if want := s.options.SearchAttributes[name]; ok && have != want {
			return fmt.Errorf("search attribute %s of %s is %s, not %s", name, s.options.File, have, want)
		}
		if ok {
			delete(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: s.options.Namespace, SearchAttributes: missing,
	}); err != nil {
		return fmt.Errorf("add search attributes %s: %w", strings.Join(slices.Sorted(maps.Keys(missing)), ", "), err)
	}
	s.log.quiet.Store(true)
	_ = s.temporal.Stop()
	s.log.quiet.Store(false)
	return s.boot(ctx)
}

func dial(address string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// The default waits a second between tries; the server needs less to start.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: time.Second}}))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	return conn, nil
}

// waitServing returns when the frontend says that it serves.
func waitServing(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, err := healthpb.NewHealthClient(conn).Watch(ctx,
		&healthpb.HealthCheckRequest{Service: "temporal.api.workflowservice.v1.WorkflowService"},
		grpc.WaitForReady(true))
	for err == nil {
		var health *healthpb.HealthCheckResponse
		if health, err = watch.Recv(); health.GetStatus() == healthpb.HealthCheckResponse_SERVING {
			return nil
		}
	}
	return fmt.Errorf("wait for the Temporal server: %w", errors.Join(context.Cause(ctx), err))
}
