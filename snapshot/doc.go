// Package snapshot is the archive: catalogues as they were read, plans, and
// receipts of what was written, kept as compressed JSON Lines in a blob bucket
// (a directory, memory, or S3). Temporal carries references to them only.
//
// Everything that is read is checked against its reference: the bucket is the
// one the reference was made in, the bytes have its hash, and there are as many
// rows as it says. The archive never guesses.
//
// No Temporal and no decision about stock may enter, and no cloud driver but
// directory and memory: a main imports the driver of S3, so that whoever embeds
// Skladom does not get the AWS SDK.
package snapshot
