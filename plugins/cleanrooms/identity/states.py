"""Codes of states, provinces and regions by their names, as letters only.

Sources: USPS and Canada Post for US and CA; for the others ISO 3166-2 or what Amazon Marketing Cloud's samples
show. Names are lower-case ASCII letters without blanks.
"""

from __future__ import annotations


def _table(text: str) -> dict[str, str]:
    pairs = (entry.split("=") for entry in text.split())
    return {name: code for code, names in pairs for name in names.split(",")}


US = _table(
    "al=alabama ak=alaska az=arizona ar=arkansas ca=california co=colorado ct=connecticut de=delaware fl=florida "
    "ga=georgia hi=hawaii id=idaho il=illinois in=indiana ia=iowa ks=kansas ky=kentucky la=louisiana me=maine "
    "md=maryland ma=massachusetts mi=michigan mn=minnesota ms=mississippi mo=missouri mt=montana ne=nebraska "
    "nv=nevada nh=newhampshire nj=newjersey nm=newmexico ny=newyork nc=northcarolina nd=northdakota oh=ohio "
    "ok=oklahoma or=oregon pa=pennsylvania ri=rhodeisland sc=southcarolina sd=southdakota tn=tennessee tx=texas "
    "ut=utah vt=vermont va=virginia wa=washington wv=westvirginia wi=wisconsin wy=wyoming"
)
CA = _table(
    "ab=alberta bc=britishcolumbia mb=manitoba nb=newbrunswick nl=newfoundlandandlabrador nt=northwestterritories "
    "ns=novascotia nu=nunavut on=ontario pe=princeedwardisland qc=quebec sk=saskatchewan yt=yukon"
)
DE = _table(
    "bw=badenwuerttemberg by=bavaria be=berlin bb=brandenburg hb=bremen hh=hamburg he=hesse ni=lowersaxony "
    "mv=mecklenburgvorpommern nw=northrhinewestphalia rp=rhinelandpalatinate sl=saarland sn=saxony st=saxonyanhalt "
    "sh=schleswigholstein th=thuringia"
)
FR = _table(
    "aa=alsace aq=aquitaine au=auvergne bt=brittany bg=burgundy cn=centre cg=champagneardenne fc=franchecomte "
    "if=iledefrance lu=languedocroussillon lm=limousin le=lorraine bn=lowernormandy mp=midipyrenees "
    "np=nordpasdecalais pl=paysdelaloire pi=picardy pt=poitoucharentes pr=provencealpescotedazur ra=rhonealpes "
    "ht=uppernormandy ce=corsica"
)
ES = _table(
    "a=alicante,alacant ab=albacete al=almeria av=avila b=barcelona ba=badajoz bi=vizcaya,bizkaia bu=burgos "
    "c=lacoruna,acoruna ca=cadiz cc=caceres ce=ceuta co=cordoba cr=ciudadreal cs=castellon,castello cu=cuenca "
    "gc=laspalmas gi=girona,gerona gr=granada gu=guadalajara h=huelva hu=huesca j=jaen l=lerida,lleida le=leon "
    "lo=larioja lu=lugo m=madrid ma=malaga ml=melilla mu=murcia na=navarra,nafarroa o=asturias or=orense,ourense "
    "p=palencia pm=baleares,balears po=pontevedra s=cantabria sa=salamanca se=sevilla sg=segovia so=soria "
    "ss=guipuzcoa,gipuzkoa t=tarragona te=teruel tf=santacruzdetenerife to=toledo v=valencia va=valladolid "
    "vi=alava,araba z=zaragoza za=zamora"
)
IT = _table(
    "ag=agrigento al=alessandria an=ancona ao=aosta ar=arezzo ap=ascolipiceno at=asti av=avellino ba=bari "
    "bt=barlettaandriatrani bl=belluno bn=benevento bg=bergamo bi=biella bo=bologna bz=southtyrol bs=brescia "
    "br=brindisi ca=cagliari cl=caltanissetta cb=campobasso ci=carboniaiglesias ce=caserta ct=catania "
    "cz=catanzaro ch=chieti co=como cs=cosenza cr=cremona kr=crotone cn=cuneo en=enna fm=fermo fe=ferrara "
    "fi=florence fg=foggia fc=forlicesena fr=frosinone ge=genoa go=gorizia gr=grosseto im=imperia is=isernia "
    "sp=laspezia aq=laquila lt=latina le=lecce lc=lecco li=livorno lo=lodi lu=lucca mc=macerata mn=mantua "
    "ms=massaandcarrara mt=matera vs=mediocampidano me=messina mi=milan mo=modena mb=monzaandbrianza na=naples "
    "no=novara nu=nuoro og=ogliastra ot=olbiatempio or=oristano pd=padua pa=palermo pr=parma pv=pavia pg=perugia "
    "pu=pesaroandurbino pe=pescara pc=piacenza pi=pisa pt=pistoia pn=pordenone pz=potenza po=prato rg=ragusa "
    "ra=ravenna rc=reggiocalabria re=reggioemilia ri=rieti rn=rimini rm=rome ro=rovigo sa=salerno ss=sassari "
    "sv=savona si=siena so=sondrio sr=syracuse ta=taranto te=teramo tr=terni tp=trapani tn=trentino tv=treviso "
    "ts=trieste to=turin ud=udine va=varese ve=venice vb=verbanocusioossola vc=vercelli vr=verona "
    "vv=vibovalentia vi=vicenza vt=viterbo"
)
AMC = {"us": US, "ca": CA, "de": DE, "fr": FR, "it": IT, "es": ES}
"""By AMC country; where a name is unknown, AMC takes its first two letters."""
