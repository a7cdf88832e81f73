// Package stock is the domain of Skladom: which quantity KROS gives an item,
// which products of the shop the item belongs to, and what has to be written
// so that the shop shows it. Its specification are the rules of the project
// (docs/rules.md); a test names each.
//
// Everything here is a pure function of values. No I/O, no clock, no
// randomness, no logging and no other package of the project may enter.
package stock
