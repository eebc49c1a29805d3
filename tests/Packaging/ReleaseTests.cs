using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Packaging;

/// <summary>tools/release.sh and what it packs.</summary>
[Collection(Alone.Name)]
public sealed partial class ReleaseTests
{
    private static readonly string[] Programs = ["hpaps", "hpaps-server", "hpaps-worker"];

    [Fact]
    public void Two_runs_give_the_same_bytes_and_sums_that_hold()
    {
        Need("jq", "objdump");
        using var folder = new TempFolder();
        string first = Release(folder, "first");
        string second = Release(folder, "second");
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));

        using RunningProgram held = RunningProgram.Run("/bin/bash", folder.In("first"), "-ec", "sha256sum --quiet -c SHA256SUMS; tar xzf *.tar.gz; cd hpaps-*/; sha256sum --quiet -c SHA256SUMS; sed -n '/^Needed/p' RELEASE; find . -type f | sort");
        Assert.True(held.ExitCode() == 0, held.Errors);
        Assert.Equal("", held.Errors);
        Assert.Matches(@"^Needed: Linux on .*, glibc 2\.\d+ or later", held.Output);
        foreach (string one in (string[])["bin/hpaps-worker", "share/man/man1/hpaps.1", "share/bash-completion/completions/hpaps", "share/zsh/site-functions/_hpaps", "share/fish/vendor_completions.d/hpaps.fish",
            "docs/packages.md", "tools/launch/local.sh", "tools/launch/hpaps.sbatch", "tools/monitoring/hpaps.rules.yml", "tools/hpaps.example.toml", "tools/prices.example.json", "packaging/systemd/hpaps-server.service", "sbom.cdx.json", "LICENSE", "README.md", "CHANGELOG.md"])
            Assert.Contains($"\n./{one}\n", held.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Bill_of_materials_lists_the_packages_of_the_lock_files_each_with_a_licence()
    {
        Need("jq");
        string rid = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "linux-arm64" : "linux-x64";
        var locked = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string program in Programs)
        {
            using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "src", program, "packages.lock.json")));
            foreach (JsonProperty framework in file.RootElement.GetProperty("dependencies").EnumerateObject())
            {
                if (framework.Name.Contains('/', StringComparison.Ordinal) && !framework.Name.EndsWith("/" + rid, StringComparison.Ordinal))
                    continue;
                foreach (JsonProperty package in framework.Value.EnumerateObject())
                {
                    if (package.Value.TryGetProperty("resolved", out JsonElement resolved))
                        locked.Add($"{package.Name} {resolved.GetString()}");
                }
            }
        }

        using RunningProgram run = RunningProgram.Run("/bin/bash", Repository.Root, "tools/sbom.sh", rid);
        Assert.True(run.ExitCode() == 0, run.Errors);
        using var bill = JsonDocument.Parse(run.Output);
        Assert.Equal("CycloneDX", bill.RootElement.GetProperty("bomFormat").GetString());
        var listed = new List<string>();
        var packs = new List<string>();
        foreach (JsonElement component in bill.RootElement.GetProperty("components").EnumerateArray())
        {
            string name = component.GetProperty("name").GetString()!;
            (component.GetProperty("type").GetString() == "library" ? listed : packs).Add($"{name} {component.GetProperty("version").GetString()}");
            JsonElement licence = Assert.Single(component.GetProperty("licenses").EnumerateArray());
            string? stated = licence.TryGetProperty("expression", out JsonElement expression) ? expression.GetString() : licence.GetProperty("license").GetProperty("url").GetString();
            Assert.False(string.IsNullOrEmpty(stated), name);
        }

        listed.Sort(StringComparer.Ordinal);
        Assert.Equal(locked, listed);
        Assert.Contains(packs, pack => pack.StartsWith($"Microsoft.NETCore.App.Runtime.NativeAOT.{rid} 10.", StringComparison.Ordinal));
    }

    [Fact]
    public void Programs_that_are_missing_or_old_are_not_packed()
    {
        Need("jq", "objdump");
        using var folder = new TempFolder();
        using RunningProgram missing = RunningProgram.Run("/usr/bin/env", folder.Path, $"HPAPS_BIN={folder.Path}", Script("release.sh"), "--out", "out");
        Assert.Equal(3, missing.ExitCode());
        Assert.Contains("hpaps is missing: run tools/publish.sh", missing.Errors, StringComparison.Ordinal);
        foreach (string program in Programs)
        {
            File.Copy(Path.Combine(Path.GetDirectoryName(Published.Launcher)!, program), folder.In(program));
            File.SetLastWriteTimeUtc(folder.In(program), DateTime.UnixEpoch);
        }

        using RunningProgram old = RunningProgram.Run("/usr/bin/env", folder.Path, $"HPAPS_BIN={folder.Path}", Script("release.sh"), "--out", "out");
        Assert.Equal(3, old.ExitCode());
        Assert.Matches("hpaps is older than .*: run tools/publish.sh", old.Errors);
        Assert.Empty(Directory.GetFiles(folder.In("out")));
    }

    [Fact]
    public void Manual_pages_have_every_command_and_no_fault_in_their_form()
    {
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path, $"HPAPS_BIN={Path.GetDirectoryName(Published.Launcher)}", Script("man-pages.sh"), "man");
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Equal(["hpaps-server.1", "hpaps-worker.1", "hpaps.1"], Array.ConvertAll(Sorted(folder.In("man")), static path => Path.GetFileName(path)!));
        string page = File.ReadAllText(folder.In("man/hpaps.1"));
        foreach (string line in File.ReadAllLines(Path.Combine(Repository.Root, "src", "programs", "Configuring", "options.txt")))
        {
            string path = line[..line.IndexOf(':', StringComparison.Ordinal)];
            if (!path.StartsWith("server", StringComparison.Ordinal) && !path.StartsWith("worker", StringComparison.Ordinal))
                Assert.Contains($"\n.SS hpaps {path.Replace('.', ' ').Replace("-", "\\-", StringComparison.Ordinal)}\n", page, StringComparison.Ordinal);
        }

        Assert.Contains("\n.B \\-\\-policy <NAME>\n", page, StringComparison.Ordinal);
        Assert.Contains("\n.B \\-\\-state <DIR>\n", File.ReadAllText(folder.In("man/hpaps-server.1")), StringComparison.Ordinal);
        string? groff = Tools.Find("groff");
        Assert.SkipUnless(groff is not null, "groff is not there to look at their form: apt-get install groff-base");
        foreach (string one in Sorted(folder.In("man")))
        {
            using RunningProgram set = RunningProgram.Run(groff, folder.Path, "-man", "-ww", "-Tutf8", one);
            Assert.Equal("", set.Errors);
        }
    }

    [Fact]
    public void Units_are_what_systemd_takes()
    {
        string? analyze = Tools.Find("systemd-analyze");
        Assert.SkipUnless(analyze is not null, "systemd-analyze is not there: apt-get install systemd");
        using var folder = new TempFolder();
        string bin = Path.GetDirectoryName(Published.Launcher)!;
        var units = new List<string>();
        foreach (string unit in Sorted(Path.Combine(Repository.Root, "packaging", "systemd")))
        {
            units.Add(folder.In(Path.GetFileName(unit)));
            File.WriteAllText(units[^1], File.ReadAllText(unit).Replace("/usr/local/bin", bin, StringComparison.Ordinal)); // it looks whether the program is there
        }

        Assert.Equal(2, units.Count);
        using RunningProgram run = RunningProgram.Run(analyze, folder.Path, ["verify", "--man=no", .. units]);
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.DoesNotMatch(Complaint(), run.Errors); // an unknown key is no failure to it
    }

    [Fact]
    public void Scripts_pass_shellcheck()
    {
        string? shellcheck = Tools.Find("shellcheck");
        Assert.SkipUnless(shellcheck is not null, "shellcheck is not there: apt-get install shellcheck");
        string[] scripts = ["tools/release.sh", "tools/test-release.sh", "tools/sbom.sh", "tools/man-pages.sh", "tools/publish.sh", "tools/test.sh", "tools/quickstart.sh", "tools/prerequisites.sh", ".ci/run", "tests/Cluster/slurm.sh", .. Directory.GetFiles(Path.Combine(Repository.Root, "tools", "launch"))];
        Assert.Contains(scripts, static one => one.EndsWith("hpaps.sbatch", StringComparison.Ordinal));
        using RunningProgram run = RunningProgram.Run(shellcheck, Repository.Root, ["-x", .. scripts]);
        Assert.True(run.ExitCode() == 0, run.Output + run.Errors);
        using RunningProgram completion = RunningProgram.Run("/bin/bash", Repository.Root, "-c", $"set -o pipefail; '{Published.Launcher}' completion bash | '{shellcheck}' -s bash -");
        Assert.True(completion.ExitCode() == 0, completion.Output + completion.Errors);
    }

    [GeneratedRegex(@"hpaps-(server|worker).*\.service:")]
    private static partial Regex Complaint();

    private static string Script(string name) => Path.Combine(Repository.Root, "tools", name);

    private static string[] Sorted(string folder)
    {
        string[] files = Directory.GetFiles(folder);
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    private static void Need(params string[] tools)
    {
        foreach (string tool in tools)
            Assert.SkipUnless(Tools.Find(tool) is not null, $"{tool} is not there: apt-get install {tool.Replace("objdump", "binutils", StringComparison.Ordinal)}");
    }

    /// <summary>The archive of a run of the script.</summary>
    private static string Release(TempFolder folder, string name)
    {
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path, $"HPAPS_BIN={Path.GetDirectoryName(Published.Launcher)}", Script("release.sh"), "--out", name);
        Assert.True(run.ExitCode() == 0, run.Errors);
        return Assert.Single(Directory.GetFiles(folder.In(name), "*.tar.gz"));
    }
}
