# 機械人講嘅廣東話。操作者自己嘅 phrases 資料夾入面嘅同名檔案可以補充或者取代呢啲句子。
# Cantonese. en.ftl says what each message is for.

hello = { $time ->
    [morning] 早晨
    [evening] 晚上好
   *[afternoon] 午安
}

address = { $salutation ->
    [mr] { $surname }先生
    [ms] { $surname }女士
    [dr] { $surname }博士
    [professor] { $surname }教授
   *[none] { $name }
}

last-two = { $first }同{ $rest }
before-others = { $first }、{ $rest }
place = { $counter }，{ $directions }
then = { $first }{ $rest }

named = { $names }，{ hello }。
named-and-others = { $names }，各位，{ hello }。
stranger = { hello }，歡迎光臨。
strangers = 各位，{ hello }，歡迎光臨。

at-once = { hello }。
named-then = { $names }，歡迎光臨。
named-and-others-then = { $names }，各位，歡迎光臨。
stranger-then = 歡迎光臨。
strangers-then = 各位，歡迎光臨。

go = 請去{ $place }。
some-go = { $names }請去{ $counter }。
ask = 請先去{ $place }。
others-ask = 其他人請先去{ $place }。
