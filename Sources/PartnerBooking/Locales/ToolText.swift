/// The sentences with which a bot leads a caller to an appointment. Each comment names the
/// situation. `{}` is a place for words: times, a name, a number.
struct ToolText: Sendable {
    /// Several slots are free. {}: the slots, joined by "or".
    var offer: StaticString
    /// One slot is free. {}: the slot.
    var offerOne: StaticString
    /// Nothing is free at the wanted time. {}: the nearest slots.
    var nearest: StaticString
    /// Only slots that were offered before are free then. {}: the nearest slots.
    var nearestElse: StaticString
    /// Nothing is free then or near it.
    var nothing: StaticString
    /// Only slots that were offered before are free then, and nothing near it.
    var nothingElse: StaticString
    /// The caller's words have several meanings. {}: the meanings, joined by "or".
    var whichTime: StaticString
    /// The caller's words about the time were not understood.
    var askTime: StaticString
    /// The wanted time has passed.
    var askLater: StaticString
    /// The clinic has several kinds of appointments.
    var askService: StaticString
    /// The caller has to choose again. {}: the slots.
    var askSlot: StaticString
    /// The same for one slot. {}: the slot.
    var askSlotOne: StaticString
    var askName: StaticString
    var askPhone: StaticString
    var askEmail: StaticString
    /// Before the booking. {}: the slot, the name, the number.
    var readback: StaticString
    /// The booking was made. {}: the appointment.
    var booked: StaticString
    /// The clinic has yet to confirm the booking. {}: the appointment.
    var requested: StaticString
    /// There is an appointment from before. {}: the appointment.
    var already: StaticString
    /// After `already` or `requested`: the time that was asked for is not booked.
    var noOther: StaticString
    /// Somebody else was faster. {}: other slots.
    var gone: StaticString
    /// The same without other slots.
    var goneOnly: StaticString
    /// The clinic refused the time for another reason. {}: other slots.
    var notAccepted: StaticString
    /// The same without other slots.
    var notAcceptedOnly: StaticString
    /// The end of a booking is not known yet.
    var confirming: StaticString
    /// The same for an earlier booking, before another sentence. {}: the appointment.
    var pending: StaticString
    /// The end of a booking is still not known.
    var notConfirmed: StaticString
    /// The service cannot be reached.
    var failed: StaticString
    /// A booking was refused.
    var refused: StaticString
    /// The caller is known. {}: the name.
    var greeting: StaticString
    /// A tool takes long.
    var filler: StaticString
}

extension ToolText {
    static let english = ToolText(
        offer: "I have {}. Which one suits you?",
        offerOne: "I have {}. Does that suit you?",
        nearest: "I have nothing free then. The nearest is {}. Would that suit you?",
        nearestElse: "I have nothing else free then. The nearest is {}. Would that suit you?",
        nothing: "I'm afraid nothing is free then. Shall I look at another day?",
        nothingElse: "I'm afraid nothing else is free then. Shall I look at another day?",
        whichTime: "Do you mean {}?",
        askTime: "Which day and time would suit you?",
        askLater: "That time has passed. Which day would suit you?",
        askService: "What kind of appointment would you like?",
        askSlot: "Which one would you like, {}?",
        askSlotOne: "Would you like {}?",
        askName: "What name may I put it under?",
        askPhone: "What number can we reach you on?",
        askEmail: "Could you give me your email address again?",
        readback: "So that's {}, for {}, and the number is {}. Is that right?",
        booked: "You're booked for {}.",
        requested: "I've asked for {}. You'll hear when it is confirmed.",
        already: "You already have an appointment, {}.",
        noOther: "I have not booked another one.",
        gone: "I'm sorry, that time has just been taken. I have {}. Which one suits you?",
        goneOnly: "I'm sorry, that time has just been taken. Shall I look at another day?",
        notAccepted: "I'm sorry, I could not book that time. I have {}. Which one suits you?",
        notAcceptedOnly: "I'm sorry, I could not book that time. Shall I look at another day?",
        confirming: "I'm just confirming that for you. One moment, please.",
        pending: "I'm still waiting to hear about {}.",
        notConfirmed: "I can't confirm it right now. May I have someone call you back?",
        failed: "I'm sorry, I can't reach the calendar right now. May I have someone call you back?",
        refused: "I'm sorry, I could not book that. May I have someone call you back?",
        greeting: "Am I speaking with {}?",
        filler: "One moment, please.")

    static let spanish = ToolText(
        offer: "Puedo ofrecerle {}. ¿Qué le viene bien?",
        offerOne: "Puedo ofrecerle {}. ¿Le viene bien?",
        nearest: "A esa hora no hay nada libre. Lo más cercano es {}. ¿Le vendría bien?",
        nearestElse: "A esa hora no hay nada más libre. Lo más cercano es {}. ¿Le vendría bien?",
        nothing: "Lo siento, no hay nada libre entonces. ¿Miro otro día?",
        nothingElse: "Lo siento, no hay nada más libre entonces. ¿Miro otro día?",
        whichTime: "¿Quiere decir {}?",
        askTime: "¿Qué día y a qué hora le viene bien?",
        askLater: "Ese momento ya ha pasado. ¿Qué día le viene bien?",
        askService: "¿Qué tipo de cita desea?",
        askSlot: "¿Cuál prefiere, {}?",
        askSlotOne: "¿Le viene bien {}?",
        askName: "¿A nombre de quién pongo la cita?",
        askPhone: "¿A qué número le podemos llamar?",
        askEmail: "¿Me puede repetir su correo electrónico?",
        readback: "Entonces es {}, a nombre de {}, y el número es {}. ¿Es correcto?",
        booked: "Su cita queda reservada para {}.",
        requested: "He pedido cita para {}. Se la confirmarán.",
        already: "Ya tiene una cita, {}.",
        noOther: "No he reservado otra.",
        gone: "Lo siento, esa hora se acaba de ocupar. Puedo ofrecerle {}. ¿Qué le viene bien?",
        goneOnly: "Lo siento, esa hora se acaba de ocupar. ¿Miro otro día?",
        notAccepted: "Lo siento, no he podido reservar esa hora. Puedo ofrecerle {}. ¿Qué le viene bien?",
        notAcceptedOnly: "Lo siento, no he podido reservar esa hora. ¿Miro otro día?",
        confirming: "Se lo estoy confirmando. Un momento, por favor.",
        pending: "Aún espero la confirmación para {}.",
        notConfirmed: "Ahora mismo no puedo confirmarlo. ¿Quiere que le llamemos?",
        failed: "Lo siento, ahora mismo no puedo consultar la agenda. ¿Quiere que le llamemos?",
        refused: "Lo siento, no he podido reservarlo. ¿Quiere que le llamemos?",
        greeting: "¿Hablo con {}?",
        filler: "Un momento, por favor.")

    static let french = ToolText(
        offer: "Je peux vous proposer {}. Qu'est-ce qui vous convient ?",
        offerOne: "Je peux vous proposer {}. Est-ce que cela vous convient ?",
        nearest: "Rien n'est libre à ce moment-là. Le plus proche est {}. Est-ce que cela vous irait ?",
        nearestElse: "Rien d'autre n'est libre à ce moment-là. Le plus proche est {}. Est-ce que cela vous irait ?",
        nothing: "Je suis désolé, rien n'est libre à ce moment-là. Voulez-vous un autre jour ?",
        nothingElse: "Je suis désolé, rien d'autre n'est libre à ce moment-là. Voulez-vous un autre jour ?",
        whichTime: "Voulez-vous dire {} ?",
        askTime: "Quel jour et à quelle heure cela vous convient-il ?",
        askLater: "Ce moment est déjà passé. Quel jour vous convient ?",
        askService: "Quel type de rendez-vous souhaitez-vous ?",
        askSlot: "Lequel préférez-vous, {} ?",
        askSlotOne: "Est-ce que {} vous convient ?",
        askName: "À quel nom dois-je le mettre ?",
        askPhone: "À quel numéro peut-on vous joindre ?",
        askEmail: "Pouvez-vous me redonner votre adresse e-mail ?",
        readback: "Donc, {}, au nom de {}, et le numéro est {}. C'est bien cela ?",
        booked: "Votre rendez-vous est réservé pour {}.",
        requested: "J'ai demandé un rendez-vous pour {}. Il vous sera confirmé.",
        already: "Vous avez déjà un rendez-vous, {}.",
        noOther: "Je n'en ai pas réservé d'autre.",
        gone: "Je suis désolé, cette heure vient d'être prise. Je peux vous proposer {}. Qu'est-ce qui vous convient ?",
        goneOnly: "Je suis désolé, cette heure vient d'être prise. Voulez-vous un autre jour ?",
        notAccepted: "Je suis désolé, je n'ai pas pu réserver cela. Je peux vous proposer {}. Qu'est-ce qui vous convient ?",
        notAcceptedOnly: "Je suis désolé, je n'ai pas pu réserver cela. Voulez-vous un autre jour ?",
        confirming: "Je vous confirme cela. Un instant, s'il vous plaît.",
        pending: "J'attends encore la confirmation pour {}.",
        notConfirmed: "Je ne peux pas le confirmer maintenant. Voulez-vous qu'on vous rappelle ?",
        failed: "Je suis désolé, je n'arrive pas à consulter l'agenda. Voulez-vous qu'on vous rappelle ?",
        refused: "Je suis désolé, je n'ai pas pu le réserver. Voulez-vous qu'on vous rappelle ?",
        greeting: "Est-ce que je parle à {} ?",
        filler: "Un instant, s'il vous plaît.")
}
