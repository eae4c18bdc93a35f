extension LocaleText {
    static let spanishWishes = WishText(
        minutesFollowAnd: true, countsFirstDay: true, daysAreCardinals: true, tomorrowIsMorning: true,
        today: "hoy, hoy mismo",
        tomorrow: "mañana",
        dayAfterTomorrow: "pasado mañana",
        dayAfter: "al día siguiente",
        weekAfter: "la semana siguiente, la siguiente",
        thisMorning: "esta mañana",
        tonight: "esta noche, hoy por la noche, hoy en la noche",
        weekdays: "lun, mart, mier miérc, jue, vier, sáb, dom",
        everyWeekday: ", , , , , sábados, domingos",
        workdays: "día laborable, días laborables, entre semana, día hábil, días hábiles, día de semana",
        weekend: "fin de semana, finde", weekends: "fines de semana",
        months: "ene, , , abr, , jun, jul, ago, setiembre sept, oct, nov, dic",
        next: "próximo, próxima, que viene, que entra, siguiente, próximos, próximas",
        this: "este, esta",
        afterNext: "después de la próxima, siguiente a la próxima, de después de la próxima",
        within: """
            en los próximos, en las próximas, durante los próximos, durante las próximas, en menos de, \
            en el plazo de, los próximos, las próximas
            """,
        in: "en, dentro de", fromNow: "a partir de hoy, a contar desde hoy",
        minutes: "minuto, minutos", hours: "hora, horas", days: "día, días", weeks: "semana, semanas",
        fortnight: "quincena", monthUnits: "mes, meses",
        every: "cada, todos los, los, cualquier, algún",
        numbers: "una=101 un=101",
        ordinals: "primero", otherOrdinals: "primer=1",
        ordinalSuffixes: "ro, er",
        dayArticles: "el, del, el día, del día, día",
        hourArticles: "las, la",
        morning: PartOfDay(
            from: 6, half: 10, to: 12,
            words: """
                la mañana, por la mañana, en la mañana, de la mañana, a la mañana, por las mañanas, las mañanas, \
                mañanas
                """),
        lunch: PartOfDay(
            from: 13, half: 14, to: 15,
            words: """
                la hora de comer, hora de comer, la hora del almuerzo, hora del almuerzo, almuerzo, la comida, \
                comer
                """),
        afternoon: PartOfDay(
            from: 12, half: 16, to: 20,
            words: """
                tarde, la tarde, por la tarde, en la tarde, de la tarde, a la tarde, por las tardes, las tardes, \
                tardes
                """),
        evening: PartOfDay(
            from: 20, half: 22, to: 24,
            words: """
                noche, la noche, por la noche, en la noche, de la noche, a la noche, las noches, por las noches
                """),
        noon: "mediodía, al mediodía, a mediodía, el mediodía, medio día",
        midnight: "medianoche, media noche, a media noche",
        early: """
            temprano, temprano por, a primera hora de, primera hora de, principios de, a principios de, \
            comienzos de, a comienzos de, inicio de, al inicio de, a principio de
            """,
        middle: "mediados de, a mediados de, a media",
        late: """
            última hora de, a última hora de, finales de, a finales de, fin de, a fin de, a fines de, final de, \
            al final de
            """,
        am: "am, a m, de la madrugada", pm: "pm, p m, del mediodía",
        oClock: "en punto, h, hs, hrs, horas",
        half: "media", quarter: "cuarto, un cuarto",
        minus: "menos", toHour: "para las, para la",
        after: "después de, tras, más tarde de, luego de", afterThe: "después del",
        before: "antes de", beforeThe: "antes del",
        until: "hasta, de aquí a, a más tardar, como muy tarde, no después de, no más tarde de",
        untilThe: "de aquí al",
        from: "desde, a partir de, no antes de", fromThe: "a partir del, no antes del",
        around: """
            sobre, hacia, alrededor de, a eso de, como a, más o menos a, cerca de, aproximadamente a, tipo
            """,
        orLater: "o más tarde, en adelante",
        orEarlier: "o más temprano",
        between: "entre",
        at: "",
        to: "al",
        atOrTo: "a",
        and: "y, e", or: "o, u, o bien",
        earliest: """
            lo antes posible, cuanto antes, lo más pronto posible, lo más temprano posible, la primera disponible, \
            el primer hueco, primer hueco, primera cita disponible, la primera cita, primera disponible, \
            el primero disponible, el primer turno, el primer turno disponible, la cita más próxima, la más próxima
            """,
        now: "ahora, ahora mismo, inmediatamente, en seguida, enseguida",
        firstThing: "a primera hora, primera hora, lo primero",
        any: """
            cualquier día, cualquier hora, cualquier momento, a cualquier hora, en cualquier momento, cuando sea, \
            cuando quiera, me da igual, da igual, no importa, es igual, indiferente, todo el día, cualquiera, \
            cuando pueda, cuando haya
            """,
        fillers: """
            por favor, buenas tardes, buenas noches, buenos días, eh, em, este día, pues, bueno, vale, sí, okay, ok, hola, buenas, quiero, quisiera, querría, \
            me gustaría, gustaría, necesito, prefiero, preferiría, puede ser, podría ser, puedo, podría, podemos, \
            tiene, tienen, tenéis, hay, algo, una cita, cita, hora, hueco, turno, para, de, en, el, la, los, un, me, viene bien, iría bien, va bien, sería, estaría bien, perfecto, \
            si es posible, si puede ser, a ser posible, gracias, quizás, tal vez, qué tal, libre, \
            disponible, a ver, a ver si, ir, venir, reservar, es, muy, con, por, solo, sólo, ya, posible, tengan
            """,
        secondThoughts: "mejor",
        refused: """
            o mejor, o más bien, o mejor dicho, con julio, con abril, soy julio, soy abril, después de la cita, \
            antes de la cita, después de mi cita, antes de mi cita, de mañana, \
            una mañana, turno mañana, turno de mañana, mañana y tarde, para julio, para abril, el día después de, \
            el día después del, el día antes de, el día antes del
            """)
}
