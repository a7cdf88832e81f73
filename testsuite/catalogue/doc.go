// Package catalogue is data to try things with: the catalogue of a believable
// Slovak merchant in KROS (healthy food, household and garden) and the products
// of its e-shop, with everything in it that goes wrong in life. It can be made
// in any size, always the same for a seed.
//
// Beside it stands an oracle, Expect: a plain calculation of what every product
// must show after a pass. It is written from docs/rules.md alone, so that it
// does not share the mistakes of package stock; nothing of the project may enter.
package catalogue
