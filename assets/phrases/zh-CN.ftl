# 机器人说的普通话。操作者自己的 phrases 文件夹里的同名文件可以补充或替换这些句子。
# 词后面的〔…〕是读音，只给语音用，屏幕上不显示：重〔chong2〕新。
# Mandarin. en.ftl says what each message is for.

hello = { $time ->
    [morning] 早上好
    [evening] 晚上好
   *[afternoon] 下午好
}

address = { $salutation ->
    [mr] { $surname }先生
    [ms] { $surname }女士
    [dr] { $surname }博士
    [professor] { $surname }教授
   *[none] { $name }
}

last-two = { $first }和{ $rest }
before-others = { $first }、{ $rest }
place = { $counter }，{ $directions }
then = { $first }{ $rest }

named = { $names }，{ hello }。
named-and-others = { $names }，各位来宾，{ hello }。
stranger = { hello }，欢迎光临。
strangers = 各位来宾，{ hello }，欢迎光临。

at-once = { hello }。
named-then = { $names }，欢迎光临。
named-and-others-then = { $names }，各位来宾，欢迎光临。
stranger-then = 欢迎光临。
strangers-then = 各位来宾，欢迎光临。

go = 请到{ $place }。
some-go = { $names }请到{ $counter }。
ask = 请先到{ $place }。
others-ask = 其他来宾请先到{ $place }。
