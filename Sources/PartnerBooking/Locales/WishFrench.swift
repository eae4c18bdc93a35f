extension LocaleText {
    static let frenchWishes = WishText(
        countsFirstDay: true, daysAreCardinals: true,
        today: "aujourd'hui, aujourd hui",
        tomorrow: "demain",
        dayAfterTomorrow: "après demain",
        dayAfter: "le lendemain, lendemain",
        weekAfter: "celle d'après, la suivante, la semaine d'après, la semaine suivante",
        tonight: "ce soir, cette nuit",
        weekdays: "lun, , merc, jeu, ven vendr, sam, dim",
        everyWeekday: "lundis, mardis, mercredis, jeudis, vendredis, samedis, dimanches",
        workdays: """
            jour ouvré, jours ouvrés, jour ouvrable, jours ouvrables, en semaine, jour de semaine, \
            jours de semaine
            """,
        weekend: "week end, weekend", weekends: "week ends, weekends",
        months: "janv, févr, , d'avril avr, , , juil, d'août, sept, d'octobre oct, nov, déc",
        next: "prochain, prochaine, prochains, prochaines, qui vient",
        this: "ce, cet, cette",
        afterNext: "d'après la prochaine, suivant la prochaine, après la prochaine",
        within: """
            dans les prochains, dans les prochaines, dans les, sous, en moins de, au cours des prochains, \
            au cours des prochaines, ces prochains, les prochains, les prochaines
            """,
        in: "dans", fromNow: "à partir d'aujourd'hui, à compter d'aujourd'hui",
        minutes: "minute, minutes", hours: "heure, heures", days: "jour, jours",
        weeks: """
            semaine, semaines, en huit
            """,
        fortnight: "quinzaine, en quinze", monthUnits: "mois",
        every: "chaque, tous les, les, n'importe quel",
        numbers: "une=101 un=101",
        ordinals: "premier", ordinalSuffixes: "er, ème, e",
        dayArticles: "le, du, le jour",
        morning: PartOfDay(
            from: 6, half: 10, to: 12,
            words: """
                matin, le matin, du matin, au matin, matins, matinée, la matinée, en matinée
                """),
        lunch: PartOfDay(
            from: 12, half: 13, to: 14,
            words: """
                l'heure du déjeuner, heure du déjeuner, déjeuner, le déjeuner, la pause déjeuner, \
                entre midi et deux, pause de midi, la pause de midi
                """),
        afternoon: PartOfDay(
            from: 12, half: 15, to: 18,
            words: """
                après midi, l'après midi, de l'après midi, d'après midi, aprèm, cet aprèm, les après midis, \
                après midis
                """),
        evening: PartOfDay(
            from: 18, half: 20, to: 24,
            words: """
                soir, le soir, du soir, au soir, soirée, la soirée, en soirée, soirs, nuit
                """),
        noon: "midi", midnight: "minuit",
        early: """
            début, début de, en début de, tôt, tôt dans, début d', au début de, début du, au début du, en début d'
            """,
        middle: "milieu, milieu de, en milieu de, mi, au milieu de, milieu d', à la mi",
        late: "fin, fin de, en fin de, à la fin de, tard dans, fin d', en fin d', la fin de, à la fin du",
        am: "am, a m", pm: "pm, p m",
        oClock: "heures, heure, h, heures pile",
        half: "demie, demi", quarter: "quart, le quart, un quart",
        minus: "moins",
        after: "après, passé, plus tard que, mais après",
        before: "avant, mais avant",
        until: """
            jusqu'à, jusque, au plus tard, pas après, pas plus tard que, d'ici, d'ici à
            """,
        untilThe: "jusqu'au, d'ici au",
        from: "à partir de, dès, depuis, pas avant", fromThe: "à partir du, à compter du",
        around: "vers, autour de, aux alentours de, environ, aux environs de, à peu près à",
        orLater: "ou plus tard, et plus tard",
        orEarlier: "ou plus tôt",
        between: "entre",
        at: "",
        to: "au",
        atOrTo: "à",
        and: "et", or: "ou, soit, ou bien, ou alors",
        earliest: """
            le plus tôt possible, dès que possible, au plus vite, le plus vite possible, \
            première disponibilité, premier créneau disponible, première date disponible, le premier créneau, \
            prochain créneau disponible, le premier rendez vous, le premier rendez vous disponible, le prochain rendez vous disponible, \
            aussi tôt que possible
            """,
        now: "maintenant, tout de suite, immédiatement",
        firstThing: "à la première heure, première heure, en tout début de journée",
        any: """
            n'importe quel jour, n'importe quelle heure, à n'importe quelle heure, n'importe quand, \
            quand vous voulez, peu importe, ça m'est égal, je suis flexible, flexible, toute la journée, \
            pas de préférence, dans la journée, tous les jours, n'importe
            """,
        fillers: """
            bon matin, bon après midi, bonne soirée, bonne journée, s'il vous plaît, s'il te plaît, euh, heu, ben, bah, alors, bon, donc, oui, ok, d'accord, bonjour, je, \
            j'aimerais, voudrais, je voudrais, je veux, souhaite, souhaiterais, préfère, préférerais, peux, \
            pourrais, peut être, est ce que, vous, auriez, avez, vous avez, quelque chose, un rendez vous, rendez vous, rdv, créneau, \
            un créneau, une place, place, pour, en, dans, de, des, le, la, l, l', les, un, au, d', ce serait, \
            serait, est, c'est, je suis, possible, si possible, de préférence, bien, parfait, merci, disponible, \
            libre, venir, prendre, réserver, courant, dans le courant de, dans la, dans le, dans l', sur, \
            qu'en est il de, heure, seulement, uniquement
            """,
        secondThoughts: "plutôt",
        refused: """
            ou plutôt, ou mieux, prochain en huit, après le rendez vous, avant le rendez vous, \
            après un rendez vous, avant un rendez vous, après mon rendez vous, avant de venir, \
            en rendez vous jusqu'à, le rendez vous est, le jour après, le jour avant
            """)
}
