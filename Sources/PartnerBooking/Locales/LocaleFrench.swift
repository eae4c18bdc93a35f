extension LocaleText {
    static let french = LocaleText(
        name: "fr",
        numbers: NumberText(
            digits: "zéro un deux trois quatre cinq six sept huit neuf",
            teens: "dix onze douze treize quatorze quinze seize",
            tens: "vingt trente quarante cinquante soixante septante huitante nonante",
            others: "vingts=20 octante=80 cents=100",
            hundred: "cent", thousand: "mille", joiner: "et",
            customs: [.unitsFollowTens, .joinerFollowsTens, .unitsFollowHundreds, .countsByTwenties]),
        phones: PhoneText(
            plus: "plus",
            double: "double", triple: "triple", quadruple: "quadruple",
            extensions: "poste ext extension",
            fillers: """
                euh heu ben bah alors bon donc oui ok d'accord voilà c'est ce est le la les l mon ma votre son numéro \
                numéros téléphone tél portable mobile fixe maison travail bureau indicatif code pays de du au à sur puis \
                ensuite commence par tiret point virgule barre espace parenthèse s'il vous plaît merci
                """,
            openings: "non pardon désolé désolée excusez bonjour attendez"),
        calendar: CalendarText(
            weekdays: "lundi mardi mercredi jeudi vendredi samedi dimanche",
            months: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        picks: PickText(
            ordinals: "premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième",
            otherOrdinals: "première seconde",
            lasts: "dernier dernière", suffixes: "er ère e ème", labels: "option numéro choix",
            fillers: "le la les ce cette celui celle là je prends s'il vous plaît"),
        speech: SpeechText(
            numbers: """
                zéro,un,deux,trois,quatre,cinq,six,sept,huit,neuf,dix,onze,douze,treize,quatorze,quinze,seize,dix-sept,\
                dix-huit,dix-neuf,vingt,vingt-et-un,vingt-deux,vingt-trois,vingt-quatre,vingt-cinq,vingt-six,vingt-sept,\
                vingt-huit,vingt-neuf,trente,trente-et-un,trente-deux,trente-trois,trente-quatre,trente-cinq,trente-six,\
                trente-sept,trente-huit,trente-neuf,quarante,quarante-et-un,quarante-deux,quarante-trois,quarante-quatre,\
                quarante-cinq,quarante-six,quarante-sept,quarante-huit,quarante-neuf,cinquante,cinquante-et-un,\
                cinquante-deux,cinquante-trois,cinquante-quatre,cinquante-cinq,cinquante-six,cinquante-sept,cinquante-huit,\
                cinquante-neuf,soixante,soixante-et-un,soixante-deux,soixante-trois,soixante-quatre,soixante-cinq,\
                soixante-six,soixante-sept,soixante-huit,soixante-neuf,soixante-dix,soixante-et-onze,soixante-douze,\
                soixante-treize,soixante-quatorze,soixante-quinze,soixante-seize,soixante-dix-sept,soixante-dix-huit,\
                soixante-dix-neuf,quatre-vingts,quatre-vingt-un,quatre-vingt-deux,quatre-vingt-trois,quatre-vingt-quatre,\
                quatre-vingt-cinq,quatre-vingt-six,quatre-vingt-sept,quatre-vingt-huit,quatre-vingt-neuf,quatre-vingt-dix,\
                quatre-vingt-onze,quatre-vingt-douze,quatre-vingt-treize,quatre-vingt-quatorze,quatre-vingt-quinze,\
                quatre-vingt-seize,quatre-vingt-dix-sept,quatre-vingt-dix-huit,quatre-vingt-dix-neuf
                """,
            clockForms: "1=une,21=vingt-et-une,31=trente-et-une,41=quarante-et-une,51=cinquante-et-une",
            lengthForms: "1=une,21=vingt-et-une,31=trente-et-une,41=quarante-et-une,51=cinquante-et-une",
            days: """
                premier,deux,trois,quatre,cinq,six,sept,huit,neuf,dix,onze,douze,treize,quatorze,quinze,seize,dix-sept,\
                dix-huit,dix-neuf,vingt,vingt-et-un,vingt-deux,vingt-trois,vingt-quatre,vingt-cinq,vingt-six,vingt-sept,\
                vingt-huit,vingt-neuf,trente,trente-et-un
                """,
            years: """
                19:00 mille neuf cents
                19:* mille neuf cent {year}
                20:00 deux mille
                20:* deux mille {year}
                21:00 deux mille cent
                21:* deux mille cent {year}
                """,
            today: "aujourd'hui",
            tomorrow: "demain {weekday}",
            date: "le {weekday} {day} {month}",
            ofYear: " {year}",
            hours: """
                minuit,une heure,deux heures,trois heures,quatre heures,cinq heures,six heures,sept heures,huit heures,\
                neuf heures,dix heures,onze heures,midi,une heure,deux heures,trois heures,quatre heures,cinq heures,\
                six heures,sept heures,huit heures,neuf heures,dix heures,onze heures
                """,
            dayParts: """
                0-11:* du matin
                12-17:* de l'après-midi
                18-23:* du soir
                """,
            clock: """
                0,12:00 {hour}
                0,12:15 {hour} et quart
                0,12:30 {hour} et demi
                11,23:45 {next} moins le quart
                *:45 {next} moins le quart {part}
                0,12:* {hour} {minute}
                *:00 {hour} {part}
                *:15 {hour} et quart {part}
                *:30 {hour} et demie {part}
                *:* {hour} {minute} {part}
                """,
            at: " à ", alsoAt: "à ",
            firstTime: ", la première fois que cette heure passe, avant le changement d'heure",
            secondTime: ", la deuxième fois que cette heure passe, après le changement d'heure",
            or: " ou ", and: " et ", orDay: ", ou ", andDay: ", et ",
            lengths: """
                0:01 une minute
                0:15 un quart d'heure
                0:30 une demi-heure
                0:45 trois quarts d'heure
                0:* {minutes} minutes
                1:00 une heure
                1:01 une heure et une minute
                1:15 une heure et quart
                1:30 une heure et demie
                1:* une heure et {minutes} minutes
                *:00 {hours} heures
                *:01 {hours} heures et une minute
                *:15 {hours} heures et quart
                *:30 {hours} heures et demie
                *:* {hours} heures et {minutes} minutes
                """),
        wishes: frenchWishes,
        tools: .french)
}
