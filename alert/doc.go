// Package alert delivers what is to be told: a message to an address over HTTP,
// a mail over SMTP. Each is one attempt; who calls repeats it.
//
// It decides nothing, words nothing and imports nothing of the project. No
// error that leaves it holds an address, a password or what the other side
// said: errors travel through Temporal, and an address may be a secret.
package alert
