package alert_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// mailServer is an SMTP server with real TLS that keeps what it gets.
type mailServer struct {
	listener net.Listener
	tls      *tls.Config
	roots    *x509.CertPool

	implicit   bool
	noSTARTTLS bool
	refuse     map[string]string // command: answer
	dropAfter  string            // closes the connection at this command

	lock    sync.Mutex
	letters []letter
	open    sync.WaitGroup
}

// letter is a mail as it came.
type letter struct {
	from, to, login string
	encrypted       bool
	text            string
}

func serveMail(t *testing.T, change func(*mailServer)) *mailServer {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate of 127.0.0.1
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	config := &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	certified.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &mailServer{listener: listener, tls: config, roots: roots, refuse: map[string]string{}}
	if change != nil {
		change(s)
	}
	if s.implicit {
		s.listener = tls.NewListener(listener, config)
	}
	s.open.Go(func() {
		for {
			connection, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.open.Go(func() { s.serve(connection) })
		}
	})
	t.Cleanup(func() {
		_ = s.listener.Close()
		s.open.Wait()
	})
	return s
}

func (s *mailServer) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *mailServer) received() []letter {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.letters
}

func (s *mailServer) serve(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	in := bufio.NewReader(connection)
	say := func(lines ...string) { _, _ = io.WriteString(connection, strings.Join(lines, "\r\n")+"\r\n") }
	current := letter{encrypted: s.implicit}
	say("220 test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		word := strings.ToUpper(strings.Fields(line + " .")[0])
		if word == s.dropAfter {
			return
		}
		if answer, ok := s.refuse[word]; ok {
			say(answer)
			continue
		}
		switch word {
		case "EHLO":
			extensions := []string{"250-test", "250-8BITMIME"}
			if !current.encrypted && !s.noSTARTTLS {
				extensions = append(extensions, "250-STARTTLS")
			}
			say(append(extensions, "250 AUTH PLAIN")...)
		case "STARTTLS":
			say("220 go ahead")
			secured := tls.Server(connection, s.tls)
			if secured.Handshake() != nil {
				return
			}
			connection, in, current.encrypted = secured, bufio.NewReader(secured), true
		case "AUTH":
			plain, _ := base64.StdEncoding.DecodeString(line[strings.LastIndex(line, " ")+1:])
			current.login = strings.ReplaceAll(string(plain), "\x00", "|")
			say("235 welcome")
		case "MAIL":
			current.from = line
			say("250 ok")
		case "RCPT":
			current.to += line
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			current.text = text.String()
			s.lock.Lock()
			s.letters = append(s.letters, current)
			s.lock.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		case "RSET", "NOOP":
			say("250 ok")
		default:
			say(fmt.Sprintf("502 %s is not known here", word))
		}
	}
}
