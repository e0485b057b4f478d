using Twin.Hardware;

namespace Twin.Grains.Tests.Guards;

/// <summary>One person with two keys or two spellings is one person; two persons are two.</summary>
public sealed class ActorTests
{
    [Theory]
    [InlineData("Anna Berg", "ANNA BERG")]
    [InlineData("Anna Berg", "  anna \t berg ")]
    [InlineData("Anna Berg", "Ａｎｎａ　Ｂｅｒｇ")]
    [InlineData("Anna Berg", "Anna\u00A0Berg")]
    [InlineData("Zoë", "ZOË")]
    [InlineData("Jean-Luc", "Jean\u2010Luc")]
    [InlineData("O'Hara", "O\u2019Hara")]
    [InlineData("Anna", "An\u200Bna")]
    [InlineData("Anna", "\uFEFFAnna")]
    [InlineData("Ωmega", "ωMEGA")]
    [InlineData("FIona", "fiona")]
    public void Spellings_of_one_name_are_one(string one, string other) =>
        Assert.Equal(new Actor(one, "key 1").Key, new Actor(other, "key 2").Key);

    [Theory]
    [InlineData("Anna Berg", "Anna Burg")]
    [InlineData("Anna Berg", "AnnaBerg")]
    [InlineData("Zoë", "Zoe")]
    public void Different_names_stay_different(string one, string other) =>
        Assert.NotEqual(new Actor(one, "key").Key, new Actor(other, "key").Key);

    [Theory]
    [InlineData("Zoe\u0308")]
    [InlineData("\uFB01ona")]
    [InlineData("\u212Aarl")]
    [InlineData("\u03D0eta")]
    [InlineData("\u1F71lpha")]
    [InlineData("\uFF71ki")]
    [InlineData("\u017Fam")]
    [InlineData("\U0001D400nna")]
    public void A_name_that_could_be_another_is_refused(string name) =>
        Assert.Contains("may stand for another", new Actor(name, "key").Refusal(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Zoë Groß")]
    [InlineData("Nguyễn Văn A")]
    [InlineData("Ａｎｎａ")]
    [InlineData("山田 太郎")]
    [InlineData("Иван Петров")]
    [InlineData("आशा")]
    [InlineData("svc:billing-2")]
    public void An_ordinary_name_is_taken(string name) => Assert.Null(new Actor(name, "key").Refusal());

    [Theory]
    [InlineData("")]
    [InlineData(" \u3000\t")]
    public void A_blank_is_nobody(string name) => Assert.NotNull(new Actor(name, "key").Refusal());
}
