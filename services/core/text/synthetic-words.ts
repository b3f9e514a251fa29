/** Common English words, from which the synthetic vocabulary is made, most frequent first. */
export const SYNTHETIC_WORDS: readonly string[] = `
the of and to in a is that for it as was with be by on not he his but at are this have from or had an they
which one you were all her she there would their we him been has when who will no more if out so up said what its
about than into them can only other time new some could these two may first then do any like my now over such our
man me even most made after also did many off before must well back through years where much your way down should
because long each just state those people too mr how little good world make very year still see own work men day
get here old life both between being under three never know same last another while us might great go come since
against right came take used himself few house american use place during high without again home around small
however found mrs part school thought went say general once upon every don does got united left number course war
until always away something fact water less public put thing almost hand enough far took head yet government
system set better told nothing night end why called eyes find going look asked later knew point next program city
business give group toward young days let room word present several order national second possible rather per face
among form important often things looked early white case john large big need four within felt children along saw
best church ever least power development light seemed thing family interest want members mind country area others
done turned although open service certain kind problem began different door thus help sense means whole matter
tell name line known body side mother money car really voice gave making began between result question company
change full action moment across become party free social feel love story history already study gone keep common
road real soon sure person hard report alone level death behind able near human above five taken living cold
required local dark market short town half table shall field hear making south black ground plan true program idea
morning process woman air bring show cost close river reason force run past read food job stand hour god trade
strong lost land boy girl leave late clear play wife friend street office art book move sound north six view talk
type nor hope student stop east west heart minute lead tree support value rate control data test model class effect
ready answer price letter army top fire future record nature fine green miss president police special seven
example paper music private size follow doctor color red society position position return low century total
material start hold law watch father wall deep clean region include space board ship sun ago language pass window
cannot walk summer century sit happy moved week evening picture heavy trouble carry bird song garden eat small
surface ball simple visit count station note blue bit dog cat bed sky grow fast drink bread simple token request
server memory chip layer network cluster query update file code user input output batch step cache load machine
`
  .trim()
  .split(/\s+/);

/** Endings and beginnings of longer words. */
export const SYNTHETIC_PARTS: readonly string[] = `
ation tion sion ment ness able ible ical ally ious ance ence ings ing ers ed ly es er or al ive ity ous ful less
ship ward wise ology graph able ical ting ning ring ling king ding sing ming ping ated ates ally ight ough ound
ould ever ward self some come with over under inter trans super counter multi micro macro comp cont conf pres prot
perf dist disc prov prog proc stru stor stra spec serv simp simi comm conn cons expl expe exam impl impr inst
incl indi info appl appr asso atte avai beca bett buil call cent chan char chec clea clos coll
`
  .trim()
  .split(/\s+/);
