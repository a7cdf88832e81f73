package catalogue

// goods is something the merchant sells, in several packs.
type goods struct {
	name  string
	unit  string // ks, kg, m or bal, as a merchant writes them in KROS
	packs []string
}

var (
	grams   = []string{"100 g", "250 g", "500 g", "1 kg"}
	volumes = []string{"100 ml", "250 ml", "500 ml", "1 l"}
	loose   = []string{"voľný predaj", "gastro vrece", "kráľovská kvalita"}
	metres  = []string{"metráž", "zvyšok kotúča", "zosilnená"}
	colours = []string{"zelená", "terakota", "antracit", "biela", "žltá"}
	sizes   = []string{"malá", "stredná", "veľká"}
	packets = []string{"0,5 g", "1 g", "3 g"}
	litres  = []string{"5 l", "10 l", "20 l", "50 l"}
)

var assortment = []goods{
	{"Pohánka lúpaná", "ks", grams},
	{"Pohánkové krúpy", "kg", loose},
	{"Ovsené vločky jemné", "ks", grams},
	{"Ovsené vločky bezlepkové", "ks", grams},
	{"Ryža basmati", "kg", loose},
	{"Šošovica červená", "ks", grams},
	{"Šošovica beluga", "kg", loose},
	{"Cícer", "ks", grams},
	{"Fazuľa strakatá", "kg", loose},
	{"Mandle natural", "kg", loose},
	{"Kešu orechy", "ks", grams},
	{"Vlašské orechy lúpané", "kg", loose},
	{"Lieskovce pražené", "ks", grams},
	{"Slnečnicové semienka", "ks", grams},
	{"Tekvicové semienka", "kg", loose},
	{"Ľanové semienko zlaté", "ks", grams},
	{"Chia semienka", "ks", grams},
	{"Brusnice sušené", "ks", grams},
	{"Marhule nesírené", "kg", loose},
	{"Datle Medjool", "kg", loose},
	{"Hrozienka čierne", "ks", grams},
	{"Čučoriedkový džem", "ks", grams},
	{"Slivkový lekvár bez cukru", "ks", grams},
	{"Ríbezľový sirup", "ks", volumes},
	{"Bazový sirup", "ks", volumes},
	{"Rakytníková šťava", "ks", volumes},
	{"Med kvetový", "ks", grams},
	{"Med agátový", "ks", grams},
	{"Medovicový med", "ks", grams},
	{"Čaj harmančekový", "ks", grams},
	{"Čaj žihľavový", "ks", grams},
	{"Čaj šípkový", "ks", grams},
	{"Mäta pieporná sušená", "kg", loose},
	{"Žihľava vňať", "kg", loose},
	{"Kurkuma mletá", "ks", grams},
	{"Škorica cejlónska", "ks", grams},
	{"Himalájska soľ", "ks", grams},
	{"Kokosový olej panenský", "ks", volumes},
	{"Ľanový olej", "ks", volumes},
	{"Jablčný ocot", "ks", volumes},
	{"Arašidové maslo", "ks", grams},
	{"Proteínová kaša s malinami", "bal", grams},
	{"Žitný kvások", "ks", grams},
	{"Špaldová múka celozrnná", "ks", grams},
	{"Mydlo levanduľové", "ks", grams},
	{"Šampón žihľavový", "ks", volumes},
	{"Krém nechtíkový", "ks", volumes},
	{"Prací gél s vôňou ľanu", "ks", volumes},
	{"Sviečka zo včelieho vosku", "ks", sizes},
	{"Utierka ľanová", "ks", colours},
	{"Zaváracie poháre s viečkom", "bal", volumes},
	{"Rašelinový substrát", "ks", litres},
	{"Substrát pre orchidey", "ks", litres},
	{"Kompost záhradnícky", "ks", litres},
	{"Mulčovacia kôra", "ks", litres},
	{"Trávne osivo", "kg", loose},
	{"Hnojivo na paradajky", "ks", volumes},
	{"Záhradná hadica 1/2\"", "m", metres},
	{"Záhradná hadica 3/4\"", "m", metres},
	{"Netkaná textília 50 g/m²", "m", metres},
	{"Tieniaca sieť", "m", metres},
	{"Pletivo králičie", "m", metres},
	{"Jutová šnúra", "m", metres},
	{"Kvetináč keramický", "ks", colours},
	{"Debnička na bylinky", "ks", sizes},
	{"Krhla plechová", "ks", colours},
	{"Nožnice na živý plot", "ks", sizes},
	{"Hrable vejárové", "ks", sizes},
	{"Rýľ s násadou", "ks", sizes},
	{"Rukavice záhradné", "ks", sizes},
	{"Kŕmidlo pre vtáčiky", "ks", colours},
	{"Semená reďkovky", "ks", packets},
	{"Semená paradajky kríčkovej", "ks", packets},
	{"Semená šalátu ľadového", "ks", packets},
	{"Semená nechtíka", "ks", packets},
	{"Cibuľky tulipánov", "bal", colours},
}

var brands = []string{
	"BIO Orava", "Slnečný dvor", "Zdravý kôš", "Tatranská lúka", "Mäta & Med", "U Ďura", "Žitný ostrov",
	"Ľubovnianska", "Záhrada Horná Súča", "Čarovná záhrada", "Gazdovský dvor", "Naše pole",
}

var services = []string{
	"Doprava kuriérom", "Doprava paletová", "Balné", "Dobierka – poplatok", "Montáž záhradného domčeka", "Brúsenie nožníc",
	"Darčekové balenie", "Poradenstvo – výživa (hodina)", "Zapožičanie vertikutátora", "Osobný odber – manipulačný poplatok",
}

var onlyInShop = []string{
	"Darčeková poukážka 20 €", "Darčeková poukážka 50 €", "Kurz pečenia kváskového chleba", "Členstvo v klube na rok", "E-kniha Bylinky na balkóne",
}
