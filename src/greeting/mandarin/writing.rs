//! What characters are: Chinese ones, traditional ones, and the wide forms of Latin ones.

use std::{collections::HashMap, sync::LazyLock};

/// The characters of our words that have a traditional form, each with it behind it. 儘 and 髮 are left out: they sound otherwise.
const TRADITIONAL: &str = "\
    万萬 业業 东東 两兩 个個 临臨 为為 为爲 举舉 么麼 么麽 乐樂 买買 于於 产產 产産 \
    们們 优優 会會 伞傘 传傳 体體 侧側 儿兒 关關 兴興 册冊 写寫 决決 减減 几幾 出齣 \
    击擊 刚剛 别別 办辦 务務 动動 区區 医醫 单單 卫衛 即卽 厅廳 参參 发發 变變 只隻 \
    台枱 台檯 台臺 台颱 号號 后後 吗嗎 听聽 员員 周週 咨諮 哗嘩 哗譁 喂餵 图圖 场場 \
    块塊 处處 复復 复複 够夠 头頭 奋奮 奖奬 奖獎 妇婦 娱娛 宝寶 审審 家傢 宾賓 对對 \
    导導 尽盡 师師 帮幫 并並 并併 应應 开開 弯彎 弹彈 归歸 当噹 当當 志誌 总總 愿願 \
    户戶 才纔 执執 扫掃 扰擾 护護 报報 择擇 换換 据據 教敎 数數 时時 显顯 暂暫 机機 \
    来來 杯盃 板闆 柜櫃 查査 样樣 核覈 检檢 楼樓 欢歡 残殘 气氣 没沒 注註 测測 点點 \
    烟煙 烟菸 烦煩 爱愛 爷爺 现現 电電 盖蓋 真眞 着著 码碼 确確 种種 称稱 税稅 签簽 \
    类類 系係 系繫 约約 纳納 纸紙 终終 经經 给給 统統 续續 维維 缴繳 网網 罚罰 联聯 \
    节節 获獲 获穫 营營 表錶 见見 观觀 览覽 觉覺 计計 认認 让讓 议議 记記 讲講 许許 \
    访訪 证証 证證 识識 诉訴 试試 话話 询詢 该該 误誤 请請 调調 谢謝 账賬 质質 费費 \
    资資 车車 转轉 轻輕 载載 输輸 边邊 过過 还還 这這 进進 远遠 适適 选選 采採 释釋 \
    里裏 里裡 钟鈡 钟鍾 钟鐘 银銀 销銷 错錯 镜鏡 长長 门門 闭閉 问問 闲閑 闲閒 间間 \
    队隊 阳陽 险險 随隨 静靜 面麵 顺順 须須 须鬚 预預 领領 额額 饮飲 馆館 马馬 驾駕";

static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let pair = |pair: &str| {
        let mut letters = pair.chars();
        letters.next().zip(letters.next()).map(|(simple, traditional)| (traditional, simple))
    };
    TRADITIONAL.split(' ').filter_map(pair).collect()
});

/// The simplified form of a traditional character that our words have; any other one as it is.
pub fn simplified(letter: char) -> char {
    SIMPLIFIED.get(&letter).copied().unwrap_or(letter)
}

/// Whether it is a Chinese character.
pub fn is_han(letter: char) -> bool {
    matches!(letter, '〇' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A name's letters without spaces, where it is in Chinese characters alone; a dot may part its words (`阿里木·买买提`).
pub fn han_letters(name: &str) -> Option<String> {
    let dots = |letter| if matches!(letter, '•' | '・' | '‧') { '·' } else { letter };
    let letters: String = name.chars().filter(|letter| !letter.is_whitespace()).map(dots).collect();
    let han = letters.chars().all(|letter| is_han(letter) || letter == '·');
    (han && letters.chars().any(is_han)).then_some(letters)
}

/// A full-width form as the narrow one that it is a form of.
pub fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' => ' ',
        other => other,
    }
}
