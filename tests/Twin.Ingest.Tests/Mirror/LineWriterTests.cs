using System.Text;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Ingest.Mirror;

namespace Twin.Ingest.Tests.Mirror;

public class LineWriterTests
{
    private static readonly MeterId s_meter = new(0x0123456789abcdef);

    private static string Text(LineWriter lines) => Encoding.UTF8.GetString(lines.Lines.Span);

    private static Finding Finding(string name) => new(s_meter.Twin, name, FindingKind.UnknownImage,
        new UnixTime(1_700_000_000), new UnixTime(1_700_000_100), new UnixTime(1_700_000_200), 0.1, Severity.High, 0.97,
        "test", 1, "", "", [], []);

    [Fact]
    public void Readings_are_integers_at_the_start_of_their_interval_and_gaps_are_no_points()
    {
        var lines = new LineWriter();
        lines.Readings(s_meter, Channel.Import, 28_333_335, 15, [250, ReadingBlock.Missing, -3],
            [Quality.Actual, Quality.Missing, Quality.Estimated], saysActual: false);
        Assert.Equal("metering,channel=import,meter=0123456789abcdef value=250i 1700000100\n"
            + "metering,channel=import,meter=0123456789abcdef value=-3i,quality=2i 1700001900\n", Text(lines));
        Assert.Equal(2, lines.Points);
    }

    [Fact]
    public void A_revision_says_that_it_is_actual_since_it_may_replace_an_estimate()
    {
        var bytes = new ByteWriter();
        ReadingBlock.Write(bytes, new ReadingBlock
        {
            Meter = s_meter, Channel = Channel.Water, IntervalMinutes = 60, StartMinute = 60, IsRevision = true,
            IsAdmitted = true, Day = new LocalDay(0, 0, 1440), PriorCount = 1, PriorSum = 4,
        }, [7], []);
        var lines = new LineWriter();
        lines.Readings(ReadingBlock.Read(bytes.Written));
        Assert.Equal("metering,channel=water,meter=0123456789abcdef value=7i,quality=4i 3600\n", Text(lines));
    }

    [Fact]
    public void Scores_and_findings_have_the_same_series_and_instant_whenever_they_are_said()
    {
        var lines = new LineWriter();
        lines.Score(s_meter, 19_675, 4.25);
        lines.Score(s_meter, 19_676, double.NaN);
        lines.Finding(Finding("Main St, 4 = x"));
        Assert.Equal("score,meter=0123456789abcdef score=4.25 1699920000\n"
            + "finding,kind=unknown_image,name=Main\\ St\\,\\ 4\\ \\=\\ x,subject=meter:0123456789abcdef "
            + $"score=0.1,severity={(int)Severity.High}i,confidence=0.97 1700000000\n", Text(lines));
        lines.Clear();
        Assert.Equal((0, 0), (lines.Points, lines.Length));
    }

    [Fact]
    public void An_instant_that_no_server_holds_is_left_out_and_counted()
    {
        var lines = new LineWriter();
        lines.Readings(s_meter, Channel.Import, MirrorLimits.MaxSeconds / 60, 1, [1, 2, 3], new Quality[3], false);
        Assert.Equal((1, 2L), (lines.Points, lines.LeftOut));
    }

    [Fact]
    public void A_batch_is_full_by_points()
    {
        var lines = new LineWriter();
        var slots = new int[ValueCodec.MaxValues];
        var qualities = new Quality[slots.Length];
        qualities.AsSpan().Fill(Quality.Actual);
        while (!lines.IsFull) lines.Readings(s_meter, Channel.Import, 0, 1, slots, qualities, false);
        Assert.InRange(lines.Points, MirrorLimits.BatchPoints, MirrorLimits.BatchPoints + slots.Length - 1);
        Assert.InRange(lines.Length, 1, MirrorLimits.BatchBytes * 2);
    }

    private static readonly string s_special = ",= \\\n\r\t\"a\u2028\ud83d";

    /// <summary>Whatever a thing is called: one line, three parts, three tags, and the name comes back.</summary>
    [Fact]
    public void No_name_breaks_out_of_its_tag()
    {
        const ulong seed = 20_260_102;
        var chance = new SplitMix64(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var name = new StringBuilder("n");
            for (var n = chance.Next(300); n > 0; n--)
                name.Append(chance.Next(3) == 0 ? (char)chance.Next(0x3000) : s_special[chance.Next(s_special.Length)]);
            var lines = new LineWriter();
            lines.Finding(Finding(name.ToString()));
            var text = Text(lines);
            Assert.True(text.EndsWith('\n') && text.Count(c => c == '\n') == 1, $"seed {seed}, name {i}: lines");
            var parts = Split(text.TrimEnd('\n'), ' ');
            Assert.True(parts.Count == 3, $"seed {seed}, name {i}: {parts.Count} parts");
            var tags = Split(parts[0], ',');
            Assert.True(tags.Count == 4, $"seed {seed}, name {i}: {tags.Count} tags");
            Assert.Equal(2, Split(tags[2], '=').Count);
            var value = Split(tags[2], '=')[1].Replace("\\", "");
            Assert.InRange(value.Length, 1, LineWriter.MaxTag + 1);
            var expected = string.Concat(name.ToString().EnumerateRunes().Select(r => r.Value == '\\'
                || Rune.IsControl(r) || r.Value is 0x2028 or 0x2029 ? "_" : r.ToString()));
            Assert.StartsWith(value, expected, StringComparison.Ordinal);
        }
    }

    /// <summary>Splits where no backslash stands before.</summary>
    private static List<string> Split(string text, char at)
    {
        var parts = new List<string>();
        var from = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == at)
            {
                parts.Add(text[from..i]);
                from = i + 1;
            }
        }
        parts.Add(text[from..]);
        return parts;
    }
}
