package alert

import "crypto/x509"

// Trusting is the server with roots of its own, as a test has them.
func (s MailServer) Trusting(roots *x509.CertPool) MailServer {
	s.roots = roots
	return s
}
