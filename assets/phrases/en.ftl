# What the robot says in English. A file of the same name in the operator's own phrases folder adds to and overrides this one.
#
# Each message may use $time (morning, afternoon, evening), $names, $counter, $directions and $place, where its line here does.
# `greeter` checks every message when it starts.

hello = { $time ->
    [morning] Good morning
    [evening] Good evening
   *[afternoon] Good afternoon
}

# One person. $salutation: mr, ms, dr, professor or none.
address = { $salutation ->
    [mr] Mr { $surname }
    [ms] Ms { $surname }
    [dr] Dr { $surname }
    [professor] Professor { $surname }
   *[none] { $name }
}

# Several people: "A, B and C".
last-two = { $first } and { $rest }
before-others = { $first }, { $rest }

# A counter whose directions are known.
place = { $counter }, { $directions }

# Two sentences one after the other.
then = { $first } { $rest }

# The first sentence: to people with names, to some with and some without, to one without, to several without.
named = { hello }, { $names }.
named-and-others = { hello }, { $names }, and everyone.
stranger = { hello }, and welcome.
strangers = { hello }, everyone, and welcome.

# Said at once to somebody about whom it is not decided yet who they are; then the same four once it is.
at-once = { hello }.
named-then = { $names }, welcome.
named-and-others-then = { $names }, and everyone, welcome.
stranger-then = Welcome.
strangers-then = Welcome, everyone.

# The way: for everybody who was addressed, for some of them, for those without a name, for those without a name beside named ones.
go = Please go to { $place }.
some-go = { $names }, { $counter }, please.
ask = Please ask at { $place }.
others-ask = Everyone else, please ask at { $place }.
