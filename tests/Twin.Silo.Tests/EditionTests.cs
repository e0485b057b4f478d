using System.Reflection;

namespace Twin.Silo.Tests;

public sealed class EditionTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private Settings Load(string engine) => Settings.Load(new Dictionary<string, string>
    {
        ["engine"] = engine, ["data"] = _directory.Sub("data"), ["shards"] = "2",
    }, _ => null, _directory.Sub(Settings.FileName));

    [Fact]
    public void The_name_is_that_of_the_build()
    {
        var built = typeof(Edition).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "Edition").Value;
        Assert.Equal(built, Edition.Name);
    }

    [Fact]
    public async Task The_default_engine_opens_as_the_settings_say()
    {
        var settings = Load(Edition.DefaultEngine);
        await using var fleet = await Edition.Engines[settings.Engine](settings, _ => { }, CancellationToken.None);
        Assert.Equal(("embedded", 2, true), (fleet.Status.Engine, fleet.Status.Shards, fleet.Status.IsReady));
    }

    [Fact]
    public void An_engine_that_this_build_lacks_is_refused_with_the_remedy()
    {
        var error = Assert.Throws<SettingException>(() => Load("raft"));
        Assert.Contains("--engine: 'engine' is 'raft'; it must be embedded", error.Message);
        Assert.Equal(Edition.Name == "standalone", error.Message.Contains("-p:Edition=full"));
    }

    [Fact]
    public void What_is_listed_can_be_chosen()
    {
        Assert.All(Edition.Engines.Keys, name => Assert.Null(Edition.CheckEngine(name)));
        if (Edition.Name == "standalone") Assert.Equal(["embedded"], Edition.Engines.Keys);
    }
}
