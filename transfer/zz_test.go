package transfer
import ("testing";"postil/markup";"fmt")
func TestZZ(t *testing.T){ fmt.Println(markup.FromHTML("<b><i><p>x</p></i></b>")) }
