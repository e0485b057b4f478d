using System.Text.Json;
using Twin.Silo.Tests.Crash;

namespace Twin.Silo.Tests.Evaluation;

/// <summary>The evaluate verb as a user meets it.</summary>
public sealed class EvaluateCommandTests(GeneratedHomes homes) : IClassFixture<GeneratedHomes>
{
    private static string Fails(params string[] args)
    {
        var (exit, output, errors) = Metertwin.Run([], ["evaluate", .. args]);
        Assert.Equal((2, ""), (exit, output));
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        return errors;
    }

    [Fact]
    public void Json_has_the_figures_and_the_report_is_written()
    {
        var report = Path.Combine(Path.GetDirectoryName(homes.Readings)!, "report.html");
        var json = Metertwin.Json("evaluate", homes.Readings, "--fleet", homes.Fleet, "--half", "all", "--sets", "1",
            "--homes", "60", "--attacks", "h1,f4", "--seed", "9", "--report", report);
        var figures = new[] { "auc", "tpr_at_1pct_fpr", "tpr_at_5pct_fpr", "delay_days_median", "ci" };
        void HasFigures(JsonElement of)
        {
            foreach (var name in figures) Assert.True(of.TryGetProperty(name, out _), name);
            Assert.Equal(2, of.GetProperty("ci").GetProperty("auc").GetArrayLength());
        }
        HasFigures(json.GetProperty("macro"));
        Assert.Equal(["h1", "f4"], json.GetProperty("kinds").EnumerateObject().Select(k => k.Name));
        foreach (var kind in json.GetProperty("kinds").EnumerateObject()) HasFigures(kind.Value);
        var references = json.GetProperty("references").EnumerateObject().ToArray();
        Assert.Contains(references, r => r.Name == "best_fusion");
        Assert.Contains(references, r => r.Name == "feeder_balance");
        foreach (var reference in references)
        {
            HasFigures(reference.Value.GetProperty("macro"));
            HasFigures(reference.Value.GetProperty("kinds").GetProperty("h1"));
        }
        Assert.True(json.GetProperty("alarms_per_1000_meters_month").GetDouble() >= 0);
        var alikes = json.GetProperty("lookalikes");
        Assert.Equal(6, alikes.GetProperty("kinds").EnumerateObject().Count());
        Assert.Equal(alikes.GetProperty("macro").GetDouble(),
            alikes.GetProperty("kinds").EnumerateObject().Average(k => k.Value.GetDouble()), 3);
        Assert.Equal(9, json.GetProperty("params").GetProperty("seed").GetInt32());
        Assert.Equal(JsonValueKind.Array, json.GetProperty("no_ops").ValueKind);
        Assert.Equal(10, json.GetProperty("precision_top_k").GetArrayLength());
        Assert.StartsWith("<!doctype html>", File.ReadAllText(report), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_theft_names_those_there_are() =>
        Assert.Contains("there is no theft 'h9' to inject", Fails(homes.Readings, "--attacks", "h9"),
            StringComparison.Ordinal);

    [Fact]
    public void Numbers_out_of_range_are_refused_before_anything_is_read()
    {
        Assert.Contains("--homes is 7. Give 40 to 2000.", Fails("nowhere.csv", "--homes", "7"),
            StringComparison.Ordinal);
        Assert.Contains("--sets is 0. Give 1 to 200.", Fails("nowhere.csv", "--sets", "0"), StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_days_say_how_many_there_are_and_are_needed()
    {
        var path = Path.Combine(Path.GetDirectoryName(homes.Readings)!, "days.csv");
        File.WriteAllLines(path, File.ReadLines(homes.Readings).Take(60 * 48 * 10));
        var errors = Fails(path);
        Assert.Contains(path, errors, StringComparison.Ordinal);
        Assert.Contains("days at most of a home. An evaluation plays 92 days", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_homes_say_how_many_there_are_and_are_needed()
    {
        var path = Path.Combine(Path.GetDirectoryName(homes.Readings)!, "few.csv");
        File.WriteAllLines(path, File.ReadLines(homes.Readings).Where((l, i) => i == 0
            || string.CompareOrdinal(l[..10], "MT-0000013") < 0 && l.StartsWith("MT-0", StringComparison.Ordinal)));
        var errors = Fails(path);
        Assert.Contains("of 12 homes read are in the report half and fit for an evaluation; 20 are needed.", errors,
            StringComparison.Ordinal);
        Assert.DoesNotContain("--half all", errors, StringComparison.Ordinal);
        Assert.Contains("Give files of more homes.", Fails(path, "--half", "all"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_that_cannot_be_written_is_told_before_the_work()
    {
        var nowhere = Path.Combine(Path.GetDirectoryName(homes.Readings)!, "nowhere", "report.html");
        var errors = Fails("nowhere.csv", "--report", nowhere);
        Assert.Contains($"--report {nowhere} cannot be written", errors, StringComparison.Ordinal);
        Assert.Contains("Give a file in a directory that exists", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Work_that_fails_leaves_no_empty_file_and_keeps_what_was_there()
    {
        var folder = Path.GetDirectoryName(homes.Readings)!;
        var (fresh, old) = (Path.Combine(folder, "fresh.html"), Path.Combine(folder, "old.csv"));
        File.WriteAllText(old, "of last week");
        Fails("nowhere.csv", "--report", fresh, "--scores", old);
        Assert.False(File.Exists(fresh));
        Assert.Equal("of last week", File.ReadAllText(old));
    }

    [Fact]
    public void A_switch_is_on_or_off()
    {
        var errors = Fails("nowhere.csv", "--observers", "maybe");
        Assert.Contains("'maybe'", errors, StringComparison.Ordinal);
        Assert.Contains("off", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Twin.Silo", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_readable_is_one_clear_error()
    {
        var path = Path.Combine(Path.GetDirectoryName(homes.Readings)!, "notes.csv");
        File.WriteAllText(path, "shopping list\nmilk\n");
        Assert.Contains(path, Fails(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Exchange_from_the_first_day_alone_is_refused() =>
        Assert.Contains("Leave out --from-day0", Fails(homes.Readings, "--half", "all", "--attacks", "exchange",
            "--from-day0"), StringComparison.Ordinal);
}
