using System.Text.Json;
using Twin.Silo.Tests.Crash;

namespace Twin.Silo.Tests.Commands;

/// <summary>The replay verb as a user meets it: exit codes, summary, files.</summary>
public sealed class ReplayCommandTests : IDisposable
{
    private const string Header = "meter,start,interval_minutes,import_wh\n";
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private string Csv(string name, string rows)
    {
        var path = _directory.Sub(name);
        File.WriteAllText(path, Header + rows);
        return path;
    }

    private static string Day(string meter, int day) => string.Concat(Enumerable.Range(0, 48).Select(i =>
        $"{meter},2026-01-{day:d2}T{i / 2:d2}:{i % 2 * 30:d2}:00Z,30,{100 + i}\n"));

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    [Fact]
    public void A_malformed_row_is_rejected_with_its_place_and_the_rest_goes_on()
    {
        var rejects = _directory.Sub("rejects.ndjson");
        var file = Csv("r.csv", Day("a", 1) + "a,yesterday,30,5\n" + Day("a", 2));
        var (exit, output, errors) = Metertwin.Run([], "replay", file, "--json", "--rejects", rejects);
        Assert.True(exit == 0, errors);
        var summary = Parse(output);
        Assert.Equal((96, 1), (summary.GetProperty("readings").GetInt32(), summary.GetProperty("rejected").GetInt32()));
        var reject = Parse(Assert.Single(File.ReadAllLines(rejects)));
        Assert.Equal((50, file), (reject.GetProperty("line").GetInt32(), reject.GetProperty("file").GetString()));
    }

    [Fact]
    public void A_file_that_is_no_telemetry_is_one_clear_error_and_exit_2()
    {
        var file = _directory.Sub("notes.csv");
        File.WriteAllText(file, "shopping list\nmilk\n");
        var (exit, output, errors) = Metertwin.Run([], "replay", file, "--json");
        Assert.Equal((2, ""), (exit, output));
        Assert.Contains(file, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_hold_every_meter_and_day_also_when_the_replay_went_on_in_an_older_directory()
    {
        var (data, scores) = (_directory.Sub("data"), _directory.Sub("scores.csv"));
        Metertwin.Json("replay", Csv("one.csv", Day("a", 1) + Day("b", 1)), "--data", data);
        Metertwin.Json("replay", Csv("two.csv", Day("a", 2) + Day("b", 2)), "--data", data, "--scores", scores);
        var lines = File.ReadAllLines(scores);
        Assert.Equal("meter,day,score,top", lines[0]);
        Assert.Equal(["a,2026-01-01", "a,2026-01-02", "b,2026-01-01", "b,2026-01-02"],
            lines[1..].Select(l => string.Join(',', l.Split(',')[..2])).Order());
    }

    [Fact]
    public void A_hole_of_two_years_and_a_stamp_of_1970_lose_nothing()
    {
        var old = Day("a", 1).Replace("2026", "2023", StringComparison.Ordinal);
        var summary = Metertwin.Json("replay", Csv("r.csv", "a,1970-01-01T00:00:00Z,30,5\n" + old + Day("a", 2)));
        Assert.Equal((97, 0), (summary.GetProperty("readings").GetInt32(), summary.GetProperty("rejected").GetInt32()));
    }

    [Fact]
    public void A_wrong_flag_is_named_and_exits_2()
    {
        var (exit, _, errors) = Metertwin.Run([], "replay", Csv("r.csv", Day("a", 1)), "--shrads", "2");
        Assert.Equal(2, exit);
        Assert.Contains("--shrads", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_meter_is_erased_without_a_date_and_the_directory_stays_sound()
    {
        var data = _directory.Sub("data");
        Metertwin.Json("replay", Csv("one.csv", Day("a", 1) + Day("b", 1)), "--data", data);
        var (exit, output, errors) = Metertwin.Run([], "erase", "a", "--reason", "moved out", "--data", data);
        Assert.True(exit == 0, errors);
        Assert.StartsWith("✓ 48 readings erased", output, StringComparison.Ordinal);
        Assert.Empty(Metertwin.Json("verify", "--data", data).GetProperty("differences").EnumerateArray());
        (exit, _, errors) = Metertwin.Run([], "erase", "nobody", "--reason", "x", "--data", data);
        Assert.Equal(2, exit);
        Assert.Contains("No meter nobody", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void No_verb_is_said_with_what_to_do()
    {
        var (exit, _, errors) = Metertwin.Run([]);
        Assert.Equal(2, exit);
        Assert.Contains("'metertwin --help'", errors, StringComparison.Ordinal);
    }
}
