extension LocaleText {
    static let spanish = LocaleText(
        name: "es",
        numbers: NumberText(
            digits: "cero uno dos tres cuatro cinco seis siete ocho nueve",
            teens: "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
            tens: "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
            others: """
                veintiuno=21 veintiún=21 veintidós=22 veintitrés=23 veinticuatro=24 veinticinco=25 veintiséis=26 \
                veintisiete=27 veintiocho=28 veintinueve=29 cien=100 ciento=100 doscientos=200 trescientos=300 \
                cuatrocientos=400 quinientos=500 seiscientos=600 setecientos=700 ochocientos=800 novecientos=900
                """,
            hundred: "", thousand: "mil", joiner: "y", customs: [.joinerFollowsTens, .unitsFollowHundreds]),
        phones: PhoneText(
            plus: "más",
            double: "doble", triple: "triple", quadruple: "cuádruple",
            extensions: "extensión ext interno anexo",
            fillers: """
                eh em este esto pues bueno vale sí okay ok mire mira es el la los las mi su número números teléfono tel \
                móvil celular fijo casa trabajo oficina prefijo lada código área país de del con al en luego después \
                llámeme empieza guión raya punto coma barra espacio paréntesis por favor gracias
                """,
            openings: "no perdón perdone disculpe hola claro espere"),
        calendar: CalendarText(
            weekdays: "lunes martes miércoles jueves viernes sábado domingo",
            months: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
        picks: PickText(
            ordinals: "primera segunda tercera cuarta quinta sexta séptima octava novena décima",
            otherOrdinals: "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo",
            lasts: "última último", suffixes: "o a er", labels: "opción número",
            fillers: "la el las esa ese por favor quiero tomo"),
        speech: SpeechText(
            numbers: """
                cero,uno,dos,tres,cuatro,cinco,seis,siete,ocho,nueve,diez,once,doce,trece,catorce,quince,dieciséis,\
                diecisiete,dieciocho,diecinueve,veinte,veintiuno,veintidós,veintitrés,veinticuatro,veinticinco,veintiséis,\
                veintisiete,veintiocho,veintinueve,treinta,treinta y uno,treinta y dos,treinta y tres,treinta y cuatro,\
                treinta y cinco,treinta y seis,treinta y siete,treinta y ocho,treinta y nueve,cuarenta,cuarenta y uno,\
                cuarenta y dos,cuarenta y tres,cuarenta y cuatro,cuarenta y cinco,cuarenta y seis,cuarenta y siete,\
                cuarenta y ocho,cuarenta y nueve,cincuenta,cincuenta y uno,cincuenta y dos,cincuenta y tres,\
                cincuenta y cuatro,cincuenta y cinco,cincuenta y seis,cincuenta y siete,cincuenta y ocho,cincuenta y nueve,\
                sesenta,sesenta y uno,sesenta y dos,sesenta y tres,sesenta y cuatro,sesenta y cinco,sesenta y seis,\
                sesenta y siete,sesenta y ocho,sesenta y nueve,setenta,setenta y uno,setenta y dos,setenta y tres,\
                setenta y cuatro,setenta y cinco,setenta y seis,setenta y siete,setenta y ocho,setenta y nueve,ochenta,\
                ochenta y uno,ochenta y dos,ochenta y tres,ochenta y cuatro,ochenta y cinco,ochenta y seis,ochenta y siete,\
                ochenta y ocho,ochenta y nueve,noventa,noventa y uno,noventa y dos,noventa y tres,noventa y cuatro,\
                noventa y cinco,noventa y seis,noventa y siete,noventa y ocho,noventa y nueve
                """,
            lengthForms: "1=un,21=veintiún,31=treinta y un,41=cuarenta y un,51=cincuenta y un",
            days: """
                uno,dos,tres,cuatro,cinco,seis,siete,ocho,nueve,diez,once,doce,trece,catorce,quince,dieciséis,diecisiete,\
                dieciocho,diecinueve,veinte,veintiuno,veintidós,veintitrés,veinticuatro,veinticinco,veintiséis,veintisiete,\
                veintiocho,veintinueve,treinta,treinta y uno
                """,
            years: """
                19:00 mil novecientos
                19:* mil novecientos {year}
                20:00 dos mil
                20:* dos mil {year}
                21:00 dos mil cien
                21:* dos mil ciento {year}
                """,
            today: "hoy",
            tomorrow: "mañana {weekday}",
            date: "el {weekday}, {day} de {month}",
            ofYear: " de {year}",
            hours: """
                las doce,la una,las dos,las tres,las cuatro,las cinco,las seis,las siete,las ocho,las nueve,las diez,\
                las once
                """,
            dayParts: """
                0-5:* de la madrugada
                6-11:* de la mañana
                12-19:* de la tarde
                20-23:* de la noche
                """,
            clock: """
                0:00 medianoche
                12:00 {hour} del mediodía
                *:00 {hour} {part}
                *:15 {hour} y cuarto {part}
                *:30 {hour} y media {part}
                *:* {hour} y {minute} {part}
                """,
            at: " a ", alsoAt: "a ",
            firstTime: ", la primera vez que pasa esa hora, antes del cambio de hora",
            secondTime: ", la segunda vez que pasa esa hora, después del cambio de hora",
            or: " o ", and: " y ", orDay: ", o bien ", andDay: ", y ",
            lengths: """
                0:01 un minuto
                0:30 media hora
                0:* {minutes} minutos
                1:00 una hora
                1:01 una hora y un minuto
                1:30 hora y media
                1:* una hora y {minutes} minutos
                21:00 veintiuna horas
                21:01 veintiuna horas y un minuto
                21:30 veintiuna horas y media
                21:* veintiuna horas y {minutes} minutos
                *:00 {hours} horas
                *:01 {hours} horas y un minuto
                *:30 {hours} horas y media
                *:* {hours} horas y {minutes} minutos
                """),
        wishes: spanishWishes,
        tools: .spanish)
}
