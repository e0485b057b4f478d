namespace Twin.Hardware.Tests;

public class PlainTextTests
{
    private static readonly Actor s_ana = new("Ana", "key");

    [Theory]
    [InlineData("\u001b[31mred", "U+001B")]
    [InlineData("one\ntwo", "U+000A")]
    [InlineData("one\u2028two", "U+2028")]
    [InlineData("abc\u202Edef", "U+202E")]
    [InlineData("a\u200Bb", "U+200B")]
    public void What_moves_a_cursor_or_turns_text_around_is_refused_everywhere(string text, string named)
    {
        var (at, twin) = (new UnixTime(1_700_000_000), new TwinKey(TwinKind.Case, 7));
        var later = new UnixTime(at.Seconds + 3_600);
        string?[] refusals =
        [
            new CaseAct(twin, at, s_ana, CaseActKind.Comment, Disposition.None, "", text).Refusal(),
            new CaseAct(twin, at, new Actor("Ana", text), CaseActKind.Acknowledge, Disposition.None, "", "").Refusal(),
            new ResponseAct(twin, at, s_ana, ResponseActKind.Approve, 1, ResponseRung.Log, text).Refusal(),
            new Suppression(at, s_ana, "S-1", null, twin, "", at, later, text).Refusal(),
            new PlannedWork(at, s_ana, "W-1", [FindingKind.Tamper], twin, "", at, later, "Ben", text).Refusal(),
            new CommandRequest(new MeterId(7), at, s_ana, "RQ-1", ResponseRung.Disconnect, "", text).Refusal(),
        ];
        Assert.All(refusals, r => Assert.Contains(named, r, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Ähre – “quoted”, 漢字, <b>, 100 %")]
    public void What_people_write_is_taken(string text) => Assert.Null(PlainText.Refusal(text));

    /// <summary>The same name by eye must not be another person.</summary>
    [Theory]
    [InlineData("r\u043E\u043Et")]
    [InlineData("r\u03BF\u03BFt")]
    [InlineData("r\u1D0F\u1D0Ft")]
    [InlineData("root\uFE0F")]
    [InlineData("root\u2800")]
    public void Letters_that_look_like_others_are_refused(string person) =>
        Assert.Contains("may stand for another", new Actor(person, "key").Refusal(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Анна Петрова")]
    [InlineData("Αλέξης")]
    [InlineData("Zoë Núñez-O'Brien")]
    [InlineData("山田 太郎")]
    public void Names_of_one_script_are_taken(string person) => Assert.Null(new Actor(person, "key").Refusal());
}
