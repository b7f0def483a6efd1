"""Street addresses for Amazon Marketing Cloud: words by their postal abbreviation, written together.

Sources: USPS Publication 28, appendix C1 (suffixes) and C2 (secondary units), and the choices of
amzn/amazon-ads-advertiser-audience-normalization-sdk-py, whose output is what AMC compares: it leaves
«boulevard» and, in Spain, «av» as they are. For «west», which it forgets, the uploader and its samples say «w».
"""

from __future__ import annotations

import re

_BREAKS = re.compile(r"\s*,\s*|\bc/o\b|[!\[\]{}().]|\s+")
_POUND = re.compile(r"([a-z]*)(#)([0-9a-z/-]*)\Z")


def _table(text: str) -> dict[str, str]:
    pairs = (entry.split("=") for entry in text.split())
    return {word: short for short, words in pairs for word in words.split(",")}


COMMON = _table(
    "number=number,num,número,núm,numero,#,no e=east n=north s=south,so w=west ne=northeast nw=northwest se=southeast "
    "sw=southwest"
)
DEFAULT = _table(
    "ave=avenue cir=circle cirs=circles ct=court ctr=centre,center dr=drive fwy=freeway,frwy hwy=highway ln=lane "
    "park=parks pkwy=parkways,pky,pkway,pkwys,parkway,parkwy pl=place plz=plaza,plza rd=road sq=square,squ,sqr "
    "st=street,str"
)
US = _table(
    "aly=alley,allee,ally anx=annex,annx,anex arc=arcade ave=av,avenu,avenue,aven,avnue,avn bch=beach bg=burg "
    "bgs=burgs blf=bluff,bluf blfs=bluffs blvd=boulv,boul bnd=bend br=branch,brnch brg=brdge,bridge brk=brook "
    "brks=brooks btm=bot,bottm,bottom byp=bypass,bypas,byps,bypa byu=bayou,bayoo cir=crcl,crcle,circle,circl,circ "
    "cirs=circles clb=club clf=cliff clfs=cliffs cmn=common cmns=commons cor=corner cors=corners cp=cmp,camp "
    "cpe=cape cres=crescent,crsnt,crsent crk=creek crse=course crst=crest cswy=causeway,causwa ct=court "
    "ctr=centr,cen,cntr,centre,cnter,cent,center ctrs=centers cts=courts curv=curve cv=cove cvs=coves "
    "cyn=cnyn,canyn,canyon dl=dale dm=dam dr=driv,drive,drv drs=drives dv=dvd,divide,div est=estate ests=estates "
    "expy=expressway,expw,expr,exp,express ext=extension,extn,extnsn exts=extensions fld=field flds=fields "
    "fls=falls flt=flat flts=flats frd=ford frds=fords frg=forge,forg frgs=forges frk=fork frks=forks "
    "frst=forests,forest fry=frry,ferry ft=fort,frt fwy=freewy,frway,freeway,frwy gdn=grden,garden,grdn,gardn "
    "gdns=gardens,grdns gln=glen glns=glens grn=green grns=greens grv=grov,grove grvs=groves "
    "gtwy=gatway,gateway,gatewy,gtway hbr=hrbor,harbor,harb,harbr hbrs=harbors hl=hill hls=hills "
    "holw=hllw,holws,hollow,hollows hts=heights,ht hvn=haven hwy=highwy,highway,hiwy,hway,hiway inlt=inlet "
    "is=island,islnd isle=isles iss=islands,islnds jct=juncton,jctn,jction,junctn,junction jcts=jctns,junctions "
    "knl=knoll,knol knls=knolls kys=keys lck=lock lcks=locks ldg=lodge,lodg,ldge lf=loaf lgt=light lgts=lights "
    "lk=lake lks=lakes ln=lane lndg=landing,lndng loop=loops mdw=meadow mdws=meadows,medows,mdw ml=mill mls=mills "
    "mnr=manor mnrs=manors msn=mission,mssn,missn mt=mnt,mount mtn=mntn,mountain,mountin,mntain,mtin "
    "mtns=mountains mtwy=motorway nck=neck opas=overpass orch=orchard,orchrd oval=ovl park=prk,parks path=paths "
    "pike=pikes pkwy=parkways,pky,pkway,pkwys,parkway,parkwy pl=place pln=plain plns=plains plz=plaza,plza "
    "pne=pine pnes=pines pr=prr,prairie prt=port prts=ports psge=passage pt=point pts=points "
    "radl=rad,radiel,radial rd=road rdg=ridge,rdge rdgs=ridges rds=roads riv=river,rvr,rivr "
    "rnch=ranch,rnchs,ranches rpd=rapid rpds=rapids rst=rest rte=route shl=shoal shls=shoals shr=shoar,shore "
    "shrs=shores skwy=skyway smt=sumit,summit,sumitt spg=sprng,spring,spng spgs=spngs,sprngs,springs spur=spurs "
    "sq=sqre,square,squ,sqr sqs=squares,sqrs st=street,str,strt sta=station,stn,statn "
    "stra=straven,strav,strvn,stravenue,stravn,strvnue strm=streme,stream sts=streets ter=terr,terrace "
    "tpke=turnpike,trnpk,turnpk trak=trk,trks,tracks,track trce=traces,trace trfy=trafficway "
    "trl=trails,trls,trail trwy=throughway tunl=tunel,tunnel,tunnl,tunls,tunnels un=union uns=unions "
    "upas=underpass via=viadct,viaduct,vdct vis=vista,vsta,vist,vst vl=ville "
    "vlg=vill,village,villag,villiage,villg vlgs=villages vly=vlly,valley,vally vlys=valleys vw=view vws=views "
    "walk=walks way=wy wl=well wls=wells xing=crossing,crssng xrd=crossroad xrds=crossroads apt=apartment,appt "
    "dept=department hngr=hanger rm=room spc=space ste=suite trlr=trailer,trlrs fl=floor bldg=building "
    "bsmt=basement frnt=front lbby=lobby lowr=lower ofc=office ph=penthouse uppr=upper key=key"
)
GB = _table(
    "ltd=limited alley=aly ave=avenue centre=center,ctr cir=circle close=cl ct=court dr=drive ln=lane pl=place rd=road "
    "square=sq st=street apt=apartment"
)
FR = DEFAULT | _table("chemin=che impasse=imp route=rte allée=allee allées=allees montée=montee")
ES = DEFAULT | _table(
    "avenida=avd calle=c,c/,carre,carrer passeig=pg,paseo,ps,p plaza=plaza,pl,plza,pza ronda=rda lugar=lg "
    "urbanización=urb rambla=rbla"
)
IT = DEFAULT | _table("piazza=pzza,pza piazzale=ple piazzetta=ptta largo=lgo viale=vle corso=cso vicolo=vlo")

TABLES = {"us": US, "gb": GB, "fr": FR, "es": ES, "it": IT}


def abbreviated(address: str, country: str) -> str:
    """An address as AMC writes it: each word abbreviated, no blanks between them, lower-case by way of capitals.

    That way «straße» becomes «strasse». A single word is taken for an address that was written together already, so
    that the number in «12-14highst» stays what it is.

    :param country: two letters, lower case; unknown ones get the default words
    """
    table = COMMON | TABLES.get(country, DEFAULT)
    pieces = [piece for piece in _BREAKS.split(address.upper().lower()) if piece]
    words = pieces if len(pieces) == 1 else [table.get(w, w) for piece in pieces for w in _split(piece)]
    return "".join(words).upper().lower()


def _split(word: str) -> list[str]:
    """A word at its pound sign, and at the dash between a number and what is none."""
    pound = _POUND.match(word)
    if pound and (pound.group(1) or pound.group(3)):
        return [part for part in pound.groups() if part]
    first, dash, second = word.rpartition("-")
    if dash and first.isnumeric() and second and not second.isnumeric():
        return [first, second]
    return [word]
