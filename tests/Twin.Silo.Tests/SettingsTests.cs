namespace Twin.Silo.Tests;

public sealed class SettingsTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private Settings Load(Dictionary<string, string> flags, Dictionary<string, string> variables, string? file)
    {
        var path = _directory.Sub(Settings.FileName);
        if (file is not null) File.WriteAllText(path, file);
        return Settings.Load(flags, variables.GetValueOrDefault, path);
    }

    private static (string Value, string Source) Of(Settings settings, string key)
    {
        var value = settings.All.Single(s => s.Key.Key == key);
        return (value.Value, value.Source);
    }

    [Fact]
    public void Flags_win_over_variables_over_the_file_over_defaults()
    {
        var settings = Load(new() { ["port"] = "1" }, new() { ["METERTWIN_PORT"] = "2", ["METERTWIN_SHARDS"] = "3" },
            """{"port": 4, "shards": 5, "horizon-days": 6}""");
        Assert.Equal((1, 3, 6, 15), (settings.Port, settings.Shards, settings.HorizonDays, settings.TickMinutes));
        Assert.Equal(("1", "--port"), Of(settings, "port"));
        Assert.Equal(("3", "METERTWIN_SHARDS"), Of(settings, "shards"));
        Assert.Equal(("6", _directory.Sub(Settings.FileName)), Of(settings, "horizon-days"));
        Assert.Equal(("15", "default"), Of(settings, "tick-minutes"));
    }

    [Fact]
    public void Without_anything_the_defaults_hold()
    {
        var settings = Load([], [], null);
        Assert.All(settings.All, s => Assert.Equal(s.Key.Default, s.Value));
        Assert.Null(settings.RetentionDays);
        Assert.Equal(Settings.Keys.Count, settings.All.Count());
    }

    [Theory]
    [InlineData("shards", "0", "1 to 64")]
    [InlineData("shards", "65", "1 to 64")]
    [InlineData("shards", "two", "1 to 64")]
    [InlineData("horizon-days", "36", "0 to 35")]
    [InlineData("horizon-days", "-1", "0 to 35")]
    [InlineData("retention-days", "34", "35 to 36525")]
    [InlineData("port", "65536", "0 to 65535")]
    [InlineData("tick-minutes", "", "1 to 1440")]
    [InlineData("data", "", "a path")]
    [InlineData("engine", "raft", "embedded")]
    public void An_error_names_key_source_and_what_is_allowed(string key, string value, string allowed)
    {
        var variable = "METERTWIN_" + key.Replace('-', '_').ToUpperInvariant();
        foreach (var (load, source) in ((Func<Settings>, string)[])
            [(() => Load(new() { [key] = value }, [], null), "--" + key),
                (() => Load([], new() { [variable] = value }, null), variable),
            (() => Load([], [], $$"""{"{{key}}": "{{value}}"}"""), Settings.FileName)])
        {
            var error = Assert.Throws<SettingException>(load).Message;
            Assert.Contains(key, error, StringComparison.Ordinal);
            Assert.Contains(source, error, StringComparison.Ordinal);
            Assert.Contains(allowed, error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"prot": 1}""", "'prot' is no setting")]
    [InlineData("""{"port": 1""", "line 1")]
    [InlineData("[]", "one JSON object")]
    [InlineData("""{"port": 1, "port": 2}""", "port")]
    public void A_file_that_is_wrong_is_named(string file, string expected)
    {
        var error = Assert.Throws<SettingException>(() => Load([], [], file)).Message;
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Contains(Settings.FileName, error, StringComparison.Ordinal);
    }
}
