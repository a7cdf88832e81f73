package server

import (
	"fmt"
	"net"
)

// ports are where the four services of a Temporal server listen.
type ports struct{ frontend, history, matching, worker int }

// choosePorts takes the given port for the frontend, or a free one for 0, and
// free ones for the rest.
func choosePorts(frontend int) (p ports, err error) {
	if frontend == 0 {
		if frontend, err = freePort(); err != nil {
			return p, err
		}
	} else {
		// The server opens its port itself and would end the process if it could not.
		l, err := listen(frontend, "--port")
		if err != nil {
			return p, err
		}
		_ = l.Close()
	}
	p.frontend = frontend
	for _, port := range []*int{&p.history, &p.matching, &p.worker} {
		if *port, err = freePort(); err != nil {
			return p, err
		}
	}
	return p, nil
}

// listen opens a port on loopback; flag is what a person chooses it with.
func listen(port int, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return nil, fmt.Errorf("port %d cannot be used, choose another with %s: %w", port, flag, err)
	}
	return l, nil
}

// freePort finds a port that the system gives to nobody else for a while: a
// connection that is closed by the side that listened leaves the port in
// TIME_WAIT, where it can be asked for by number but is not handed out.
func freePort() (int, error) {
	l, err := net.Listen("tcp", address(0))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	caller, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer caller.Close()
	called, err := l.Accept()
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	_ = called.Close() // before the caller does
	return l.Addr().(*net.TCPAddr).Port, nil
}
