namespace Twin.EndToEnd.Tests;

/// <summary>A test in a real browser; passed over, with the reason, where there is none or no console was
/// built.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public const string Browser = "/usr/bin/chromium";

    public override string? Skip
    {
        get => !File.Exists(Browser) ? $"Chromium is not installed here: there is no '{Browser}'. Install package "
                + "'chromium'."
            : Twin.Api.ConsoleFiles.Embedded.Shell is null
                ? "The console was not built: Node.js 20 or later was not there when "
                + "this was built. Install it and build again."
            : null;
        set => throw new NotSupportedException("Only the absence of a browser or of a console passes a test over.");
    }
}
