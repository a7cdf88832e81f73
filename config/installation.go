package config

import (
	"time"

	"github.com/hashicorp/hcl/v2"
)

// The blocks of the installation, with the places of their attributes.
type rawTemporal struct {
	TaskQueue *hcl.Attribute `hcl:"task_queue,optional"`
}

type rawRelay struct {
	Listen         *hcl.Attribute `hcl:"listen,optional"`
	PublicURL      *hcl.Attribute `hcl:"public_url,optional"`
	TrustedProxies *hcl.Attribute `hcl:"trusted_proxies,optional"`
}

type rawSnapshots struct {
	URL          *hcl.Attribute `hcl:"url,optional"`
	Keep         *hcl.Attribute `hcl:"keep,optional"`
	KeepReceipts *hcl.Attribute `hcl:"keep_receipts,optional"`
}

type rawSecrets struct {
	MasterKey *hcl.Attribute `hcl:"master_key,optional"`
}

type rawMail struct {
	Host     *hcl.Attribute `hcl:"host,optional"`
	Port     *hcl.Attribute `hcl:"port,optional"`
	Username *hcl.Attribute `hcl:"username,optional"`
	Password *hcl.Attribute `hcl:"password,optional"`
	From     *hcl.Attribute `hcl:"from,optional"`
}

func (d *decoder) section(kind string, block rawBlock) *section {
	s := &section{kind: kind, file: d.file, line: block.Range.Start.Line}
	var apply func(*Installation)
	switch kind {
	case "temporal":
		apply = d.temporal(block.Body)
	case "relay":
		apply = d.relay(block.Body)
	case "snapshots":
		apply = d.snapshots(block.Body)
	case "secrets":
		apply = d.installationSecrets(block.Body)
	case "mail":
		apply = d.mail(block)
	case "alert":
		s.alert = d.alert(block)
		apply = func(i *Installation) { i.Alert = s.alert.alert }
	}
	if len(d.diagnostics) == 0 {
		s.apply = apply
	}
	s.secrets, s.diagnostics = d.secrets, d.diagnostics
	return s
}

func (d *decoder) temporal(body hcl.Body) func(*Installation) {
	var raw rawTemporal
	d.body(body, "temporal", &raw)
	temporal := Temporal{TaskQueue: defaultTaskQueue}
	if d.text("temporal.task_queue", raw.TaskQueue, &temporal.TaskQueue) && temporal.TaskQueue == "" {
		d.reject(raw.TaskQueue, "temporal.task_queue is empty; the default is %q", defaultTaskQueue)
	}
	return func(i *Installation) { i.Temporal = temporal }
}

func (d *decoder) relay(body hcl.Body) func(*Installation) {
	var raw rawRelay
	d.body(body, "relay", &raw)
	relay := Relay{Listen: defaultListen}
	d.listen("relay.listen", raw.Listen, &relay.Listen)
	d.address("relay.public_url", raw.PublicURL, &relay.PublicURL)
	d.prefixes("relay.trusted_proxies", raw.TrustedProxies, &relay.TrustedProxies)
	return func(i *Installation) { i.Relay = &relay }
}

func (d *decoder) snapshots(body hcl.Body) func(*Installation) {
	var raw rawSnapshots
	d.body(body, "snapshots", &raw)
	snapshots := defaultSnapshots()
	d.bucket("snapshots.url", raw.URL, &snapshots.URL)
	whole(d, "snapshots.keep", raw.Keep, &snapshots.Keep, 1, maxCount)
	d.duration("snapshots.keep_receipts", raw.KeepReceipts, &snapshots.KeepReceipts, time.Second)
	return func(i *Installation) { i.Snapshots = snapshots }
}

func defaultSnapshots() Snapshots {
	return Snapshots{Keep: 48, KeepReceipts: 90 * 24 * time.Hour}
}

func (d *decoder) installationSecrets(body hcl.Body) func(*Installation) {
	var raw rawSecrets
	d.body(body, "secrets", &raw)
	var secrets Secrets
	if raw.MasterKey != nil {
		if use, ok := d.secret("secrets.master_key", raw.MasterKey); ok {
			secrets.MasterKey = use.secret
			d.secrets = append(d.secrets, use)
		}
	}
	return func(i *Installation) { i.Secrets = secrets }
}

func (d *decoder) mail(block rawBlock) func(*Installation) {
	var raw rawMail
	d.body(block.Body, "mail", &raw)
	mail := Mail{Port: defaultMailPort}
	d.mailHost("mail.host", raw.Host, &mail.Host)
	whole(d, "mail.port", raw.Port, &mail.Port, 1, 65535)
	d.text("mail.username", raw.Username, &mail.Username)
	d.sender("mail.from", raw.From, &mail.From)
	if raw.Password != nil {
		if use, ok := d.secret("mail.password", raw.Password); ok {
			mail.Password = use.secret
			d.secrets = append(d.secrets, use)
		}
	}
	if raw.Host == nil {
		d.rejectAt(block.Range, `mail.host is missing; write the name of the mail server, for example host = "smtp.example.com"`)
	}
	if raw.From == nil {
		d.rejectAt(block.Range, `mail.from is missing; write the sender, for example from = "Skladom <skladom@example.com>"`)
	}
	if (raw.Username == nil) != (raw.Password == nil) {
		d.rejectAt(block.Range, "mail needs username and password, or neither where the server asks for none")
	}
	return func(i *Installation) { i.Mail = &mail }
}
