package auth

import "strings"

// sequences are what fingers type without a thought: the alphabet, digits, and
// the rows, columns and zigzags of the common keyboards. Each also counts
// backwards. They are ASCII, so that a byte is a character.
var sequences = []string{
	"abcdefghijklmnopqrstuvwxyzabc",
	"01234567890123456789",
	"qwertyuiopasdfghjklzxcvbnm",   // QWERTY, row after row
	"qwertzuiopasdfghjklyxcvbnm",   // QWERTZ
	"azertyuiopqsdfghjklmwxcvbn",   // AZERTY
	"pyfgcrlaoeuidhtnsqjkxbmwvz",   // Dvorak
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm", // columns down
	"1qay2wsx3edc4rfv5tgb6zhn7ujm",
	"zaqwsxcderfvbgtyhnmjuiklop", // columns up and down
	"qazwsxedcrfvtgbyhnujmikolp",
	"1q2w3e4r5t6y7u8i9o0p", // zigzag
	"1q2w3e4r5t6z7u8i9o0p",
	"q1w2e3r4t5y6u7i8o9p0",
	"1a2b3c4d5e6f7g8h9i0j",
	"a1b2c3d4e5f6g7h8i9j0",
	"!@#$%^&*()_+", // shifted digits, US
	"!\"$%&/()=?",  // shifted digits, German
	"147258369",    // number pad
	"159357",
	"3141592653589793238462643383279",
}

// commonWords are the words that most weak passwords are built from: what lists
// of the most used passwords show in several languages, first names, months,
// teams, and phrases that many think of. A password may contain them; it may
// not be made of one or two and some padding.
//
// This is a list of habits, not of breached passwords. It catches their long
// forms by rule, which a list of 15-character passwords could never do.
var commonWords = strings.Fields(`
	password passwords passwort passwd passphrase pass kennwort motdepasse contrasena senha parola
	haslo heslo salasana losenord wachtwoord
	qwerty qwertz azerty admin administrator root user username guest login logon letmein welcome
	willkommen bienvenue default changeme change secret geheim private master system server computer
	internet access account security secure testing test tester demo temp temporary example sample
	google facebook youtube twitter instagram linkedin github windows microsoft apple samsung iphone
	android amazon netflix paypal minecraft pokemon nintendo fortnite
	hello hallo bonjour hola ciao iloveyou loveyou lovely love liebe jetaime teamo ichliebedich
	schatz baby angel princess prinzessin babygirl sweetheart honey darling forever always
	dragon monkey tiger lion eagle falcon panther dolphin butterfly kitten puppy shadow sunshine
	sonnenschein rainbow flower diamond silver golden purple orange yellow banana cookie chocolate
	schokolade cheese pepper ginger coffee pizza summer sommer winter spring autumn herbst
	january february march april june july august september october november december
	januar februar juni juli oktober dezember
	monday tuesday wednesday thursday friday saturday sunday montag freitag samstag sonntag
	football fussball soccer baseball basketball hockey cricket tennis liverpool arsenal chelsea
	barcelona realmadrid juventus yankees cowboys lakers steelers schalke
	superman batman spiderman ironman pikachu naruto starwars jedi gandalf hobbit hogwarts
	harrypotter matrix trustno whatever nothing freedom killer hunter ninja pirate wizard
	michael jennifer jessica ashley daniel andrew joshua matthew anthony robert thomas william
	charlie george jordan nicole michelle amanda hannah sophie alexander maria martin stefan
	andreas christian patrick david peter jesus christ jesuschrist mustang ferrari porsche harley
	mercedes corvette america germany deutschland england france canada mexico brasil india london
	berlin newyork company firma office business

	thequickbrownfox jumpsoverthelazydog maytheforcebewithyou tobeornottobe thatisthequestion
	tobeornottobethatisthequestion mynameis inigomontoya openthedoor opensesame abracadabra
	supercalifragilisticexpialidocious onceuponatime happybirthday merrychristmas
	nevergonnagiveyouup godblessamerica inthebeginning ourfatherwhoartinheaven
	winteriscoming onering iamyourfather ilovemyfamily ilovejesus thisismypassword
	mypassword yourpassword nopassword newpassword ihatepasswords idontknow forgotpassword
`)
