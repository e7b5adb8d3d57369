package transfer
import ("testing";"path/filepath";"fmt";"context";"time";"strings")
func TestZZ(t *testing.T){
 fs,_:=filepath.Glob("/work/shared/imports/wxr/[s-w]*"); fs=append(fs,"/work/shared/imports/wxr/dedy-purwanto.xml","/work/shared/seed/flask-vs-django.wxr.xml")
 for _,f:=range fs { 
  if strings.Contains(f,"spott"){continue}
  s,err:=fileSource(f); w:=wxrReader{src:s,progress:func(int64){}}
  st:=time.Now()
  if err==nil {err=w.survey(context.Background())}
  sv:=time.Since(st)
  var i WXRInfo
  if err==nil {i,err=w.emit(context.Background(),func(Record)error{return nil})}
  fmt.Println(filepath.Base(f),err,sv,time.Since(st),i.Items,i.Articles,i.Comments,len(i.Skipped),i.ZeroDates,i.MissingDates,i.Ignored,len(i.Notes),w.offset.best,i.Source())
  m:=map[string]int{}; for _,s:=range i.Skipped { m[s.Why]++; if strings.Contains(s.What,"with") {fmt.Println("  ",s)} }; fmt.Println("  ",m)
 }
}
