/* Every way a recipe can be wrong, and the one sentence it gets: where, and what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

#define RECIPE(rest)    "{'tabgrad':1," rest "}"
#define ADAM            ",'optimizer':{'type':'adam'}"
#define MODEL(layers)   "'model':{'input':[6,6,1],'layers':[" layers "]}"
#define LAYERS(layers)  RECIPE(MODEL(layers) ADAM) /* wrong in its layers */
#define FLAT(layers)    LAYERS("{'type':'flatten'}," layers)
#define CONV(more)      LAYERS("{'type':'conv2d','filters':2,'kernel':3," more "}")
#define GOOD            MODEL("{'type':'flatten'},{'type':'dense','units':3}")
#define BESIDE(rest)    RECIPE(GOOD ADAM "," rest) /* wrong beside its model */
#define OPTIMIZER(text) RECIPE(GOOD ",'optimizer':" text)
#define LOSS(text)      BESIDE("'loss':" text)

typedef struct wrong {
    const char *recipe;
    tg_status status;
    const char *expected;
} wrong;

static const wrong top_level[] = {
    {"{}", TG_E_RECIPE, "recipe: tabgrad is missing"},
    {"{'tabgrad':2," GOOD "}", TG_E_RECIPE, "recipe: tabgrad must be at most 1, not 2"},
    {"{'tabgrad':'1'," GOOD "}", TG_E_RECIPE, "recipe: tabgrad must be a whole number, not a text"},
    {"{'tabgrad':1}", TG_E_RECIPE, "recipe: model is missing"},
    {BESIDE("'epoch':3"), TG_E_RECIPE,
     "recipe: unknown key \"epoch\"; there are tabgrad, name, data, preprocess, augment, augment_mode, "
     "model, loss, losses, optimizer, schedule, early_stopping, batch_size, epochs, seed"},
    {BESIDE("'batch_size':0"), TG_E_RECIPE, "recipe: batch_size must be at least 1, not 0"},
    {BESIDE("'batch_size':1.5"), TG_E_RECIPE, "recipe: batch_size must be a whole number, not 1.5"},
    {BESIDE("'batch_size':'32'"), TG_E_RECIPE, "recipe: batch_size must be a whole number, not a text"},
    {BESIDE("'batch_size':1e300"), TG_E_RECIPE, "recipe: batch_size must be at most 16777216, not 1e+300"},
    {BESIDE("'batch_size':-1"), TG_E_RECIPE, "recipe: batch_size must be at least 1, not -1"},
    {BESIDE("'epochs':0"), TG_E_RECIPE, "recipe: epochs must be at least 1, not 0"},
    {BESIDE("'epochs':1e9"), TG_E_RECIPE, "recipe: epochs must be at most 1048576, not 1000000000"},
    {BESIDE("'seed':-1"), TG_E_RECIPE, "recipe: seed must be at least 0, not -1"},
    {BESIDE("'seed':0.5"), TG_E_RECIPE, "recipe: seed must be a whole number, not 0.5"},
    {BESIDE("'seed':9007199254740992"), TG_E_RECIPE,
     "recipe: seed must be at most 9007199254740991, not 9007199254740992"},
    {BESIDE("'seed':null"), TG_E_RECIPE, "recipe: seed must be a whole number, not null"},
    {BESIDE("'name':7"), TG_E_RECIPE, "recipe: name must be a text, not a number"},
    {BESIDE("'data':'mnist'"), TG_E_RECIPE, "data: must be an object, not a text"},
    {BESIDE("'data':{'set':'mnist'}"), TG_E_RECIPE,
     "data: unknown key \"set\"; there are dataset, train_size, sampling, validation, shape"},
    {BESIDE("'data':{'train_size':-5}"), TG_E_RECIPE, "data: train_size must be at least 0, not -5"},
    {BESIDE("'data':{'train_size':1000}"), TG_E_RECIPE,
     "data: train_size 1000 exceeds the 20 samples there are"},
    {BESIDE("'data':{'validation':true}"), TG_E_RECIPE,
     "data: validation must be a number, not true or false"},
    {BESIDE("'data':{'validation':1.5}"), TG_E_RECIPE,
     "data: validation must be a fraction below 1 or a whole number of samples, not 1.5"},
    {BESIDE("'data':{'validation':20}"), TG_E_RECIPE,
     "data: validation 20 leaves none of 20 samples to train on; make it smaller"},
    {BESIDE("'preprocess':{'type':'rescale'}"), TG_E_RECIPE,
     "preprocess: must be a list of steps such as [{\"type\": \"rescale\"}]"},
    {BESIDE("'preprocess':[{'type':'standardize','mean':[0.1,0.2],'std':1}]"), TG_E_SHAPE,
     "preprocess[0] standardize: mean has 2 numbers; give one, or one for each of the 1 channels"},
};

static const wrong models[] = {
    {RECIPE("'model':[]" ADAM), TG_E_RECIPE, "model: must be an object, not a list"},
    {RECIPE("'model':{'layers':[]}" ADAM), TG_E_RECIPE, "model: input is missing"},
    {RECIPE("'model':{'input':[6,6,1]}" ADAM), TG_E_RECIPE, "model: layers is missing"},
    {RECIPE("'model':{'input':[6,6,1],'layers':[]}" ADAM), TG_E_RECIPE,
     "model: layers must be a list of 1 to 4096 layers"},
    {RECIPE("'model':{'input':[6,6,1],'layers':{}}" ADAM), TG_E_RECIPE,
     "model: layers must be a list of 1 to 4096 layers"},
    {RECIPE("'model':{'input':[],'layers':[{'type':'flatten'}]}" ADAM), TG_E_RECIPE,
     "model: input must be a number or a list of 1 to 4 numbers"},
    {RECIPE("'model':{'input':[6,6,1,1],'layers':[{'type':'flatten'}]}" ADAM), TG_E_RECIPE,
     "model: input must be [height, width, channels], [height, width] or [features], and fit into memory"},
    {RECIPE("'model':{'input':[6,6,1,1,1],'layers':[{'type':'flatten'}]}" ADAM), TG_E_RECIPE,
     "model: input must be a number or a list of 1 to 4 numbers"},
    {RECIPE("'model':{'input':[6,0,1],'layers':[{'type':'flatten'}]}" ADAM), TG_E_RECIPE,
     "model: input must be at least 1, not 0"},
    {RECIPE("'model':{'input':[6,'6',1],'layers':[{'type':'flatten'}]}" ADAM), TG_E_RECIPE,
     "model: input must be a whole number, not a text"},
    {RECIPE("'model':{'input':[1048576,1048576,1048576],'layers':[{'type':'flatten'}]}" ADAM), TG_E_RECIPE,
     "model: input must be [height, width, channels], [height, width] or [features], and fit into memory"},
    {RECIPE("'model':{'input':[6,6,1],'output':[],'layers':[{'type':'flatten'}]}" ADAM), TG_E_RECIPE,
     "model: unknown key \"output\"; there are input, inputs, outputs, layers"},
    {LAYERS("'dense'"), TG_E_RECIPE, "model.layers[0]: a layer is an object with a type"},
    {LAYERS("{'units':3}"), TG_E_RECIPE, "model.layers[0]: type is missing"},
    {LAYERS("{'type':3}"), TG_E_RECIPE, "model.layers[0]: type must be a text"},
    {LAYERS("{'type':'transformer'}"), TG_E_RECIPE,
     "model.layers[0] transformer: unknown type \"transformer\"; there are dense, conv2d, max_pool2d, "
     "avg_pool2d, global_avg_pool2d, relu, leaky_relu, sigmoid, tanh, softmax, flatten, reshape, add, "
     "concat, batch_norm, dropout"},
    {LAYERS("{'type':'input'}"), TG_E_RECIPE,
     "model.layers[0] input: unknown type \"input\"; there are dense, conv2d, max_pool2d, avg_pool2d, "
     "global_avg_pool2d, relu, leaky_relu, sigmoid, tanh, softmax, flatten, reshape, add, concat, "
     "batch_norm, dropout"},
    {FLAT("{'type':'dense'}"), TG_E_RECIPE, "model.layers[1] dense: units is missing"},
    {FLAT("{'type':'dense','unit':3}"), TG_E_RECIPE,
     "model.layers[1] dense: unknown key \"unit\"; there are units, bias, type, name, inputs, "
     "initializer, weights, trainable, learning_rate_factor"},
    {FLAT("{'type':'dense','units':3,'filters':3}"), TG_E_RECIPE,
     "model.layers[1] dense: unknown key \"filters\"; there are units, bias, type, name, inputs, "
     "initializer, weights, trainable, learning_rate_factor"},
    {FLAT("{'type':'dense','units':0}"), TG_E_RECIPE,
     "model.layers[1] dense: units must be at least 1, not 0"},
    {FLAT("{'type':'dense','units':1e7}"), TG_E_RECIPE,
     "model.layers[1] dense: units must be at most 1048576, not 10000000"},
    {FLAT("{'type':'dense','units':[3]}"), TG_E_RECIPE,
     "model.layers[1] dense: units must be a whole number, not a list"},
    {FLAT("{'type':'dense','units':3,'bias':1}"), TG_E_RECIPE,
     "model.layers[1] dense: bias must be true or false, not a number"},
    {FLAT("{'type':'dense','units':3,'trainable':'no'}"), TG_E_RECIPE,
     "model.layers[1] dense: trainable must be true or false, not a text"},
    {FLAT("{'type':'dense','units':3,'learning_rate_factor':-1}"), TG_E_RECIPE,
     "model.layers[1] dense: learning_rate_factor must be at least 0, not -1"},
    {FLAT("{'type':'dense','units':3,'initializer':'he_norm'}"), TG_E_RECIPE,
     "model.layers[1] dense: initializer: unknown type \"he_norm\"; there are xavier_uniform, "
     "xavier_normal, he_uniform, he_normal, normal, uniform, spectral_normal, zeros"},
    {FLAT("{'type':'dense','units':3,'initializer':3}"), TG_E_RECIPE,
     "model.layers[1] dense: initializer: must be a name or an object with a type"},
    {FLAT("{'type':'dense','units':3,'initializer':{'std':3}}"), TG_E_RECIPE,
     "model.layers[1] dense: initializer: type is missing"},
    {FLAT("{'type':'dense','units':3,'initializer':{'type':'he','std':3}}"), TG_E_RECIPE,
     "model.layers[1] dense: initializer: unknown key \"std\"; there are type, gain"},
    {FLAT("{'type':'dense','units':3,'name':''}"), TG_E_RECIPE,
     "model.layers[1] dense: name must have 1 to 47 characters"},
    {FLAT("{'type':'dense','units':3,'name':'an output'}"), TG_E_RECIPE,
     "model.layers[1] dense: name \"an output\" may hold letters, digits, _ and - only"},
    {FLAT("{'type':'dense','units':3,'name':'optimizer'}"), TG_E_RECIPE,
     "model.layers[1] dense: name \"optimizer\" is taken"},
    {FLAT("{'type':'dense','units':3,'name':'input'}"), TG_E_RECIPE,
     "model.layers[1] dense: name \"input\" is taken"},
    {FLAT("{'type':'dense','units':3,'name':'a'},{'type':'dense','units':3,'name':'a'}"), TG_E_RECIPE,
     "model.layers[2] dense: the name \"a\" stands twice"},
    {FLAT("{'type':'dense','units':3,'name':'dense2'},{'type':'dense','units':3}"), TG_E_RECIPE,
     "model.layers[2] dense: the name \"dense2\" stands twice"},
    {LAYERS("{'type':'dense','units':3}"), TG_E_SHAPE,
     "model.layers[0] dense: takes flat input, not 1x6x6; put a flatten before it"},
    {LAYERS("{'type':'softmax'}"), TG_E_SHAPE,
     "model.layers[0] softmax: takes flat input, not 1x6x6; put a flatten before it"},
    {FLAT("{'type':'relu','slope':0.1}"), TG_E_RECIPE,
     "model.layers[1] relu: unknown key \"slope\"; there are type, name, inputs, initializer, weights, "
     "trainable, "
     "learning_rate_factor"},
    {FLAT("{'type':'leaky_relu','slope':-0.1}"), TG_E_RECIPE,
     "model.layers[1] leaky_relu: slope must be at least 0, not -0.1"},
    {LAYERS("{'type':'reshape','shape':[7,5]}"), TG_E_SHAPE,
     "model.layers[0] reshape: cannot turn 1x6x6 into 7x5: other number of values"},
    {LAYERS("{'type':'reshape'}"), TG_E_RECIPE, "model.layers[0] reshape: shape is missing"},
    {LAYERS("{'type':'reshape','shape':[]}"), TG_E_RECIPE,
     "model.layers[0] reshape: shape must be a number or a list of 1 to 4 numbers"},
    {LAYERS("{'type':'reshape','shape':[16777216,16777216,16777216,36]}"), TG_E_SHAPE,
     "model.layers[0] reshape: cannot turn 1x6x6 into 16777216x16777216x16777216x36: other number of "
     "values"},
};

static const wrong windows[] = {
    {LAYERS("{'type':'conv2d','filters':8,'kernel':3},{'type':'max_pool2d','size':2},{'type':'relu'},"
            "{'type':'conv2d','filters':4,'kernel':5}"),
     TG_E_SHAPE, "model.layers[3] conv2d: kernel 5x5 exceeds input 2x2"},
    {RECIPE("'model':{'input':[9,9,1],'layers':[{'type':'conv2d','filters':8,'kernel':3},{'type':'relu'},"
            "{'type':'max_pool2d','size':2},{'type':'conv2d','filters':4,'kernel':5}]}" ADAM),
     TG_E_SHAPE, "model.layers[3] conv2d: kernel 5x5 exceeds input 3x3"},
    {LAYERS("{'type':'conv2d','kernel':3}"), TG_E_RECIPE, "model.layers[0] conv2d: filters is missing"},
    {LAYERS("{'type':'conv2d','filters':3}"), TG_E_RECIPE, "model.layers[0] conv2d: kernel is missing"},
    {LAYERS("{'type':'conv2d','filters':3,'kernel':[1,2,3,4,5]}"), TG_E_RECIPE,
     "model.layers[0] conv2d: kernel must be a number or a list of 1 to 4 numbers"},
    {LAYERS("{'type':'conv2d','filters':3,'kernel':[3,3,3]}"), TG_E_RECIPE,
     "model.layers[0] conv2d: sizes are one number or [height, width]"},
    {LAYERS("{'type':'conv2d','filters':3,'kernel':0}"), TG_E_RECIPE,
     "model.layers[0] conv2d: kernel must be at least 1, not 0"},
    {CONV("'stride':0"), TG_E_RECIPE, "model.layers[0] conv2d: stride must be at least 1, not 0"},
    {CONV("'dilation':3"), TG_E_SHAPE, "model.layers[0] conv2d: kernel 7x7 exceeds input 6x6"},
    {CONV("'padding':'full'"), TG_E_RECIPE,
     "model.layers[0] conv2d: padding must be one of valid|same or whole numbers, not \"full\""},
    {CONV("'padding':true"), TG_E_RECIPE,
     "model.layers[0] conv2d: padding must be a whole number, not true or false"},
    {CONV("'padding':3"), TG_E_SHAPE, "model.layers[0] conv2d: padding must be smaller than the kernel 3x3"},
    {CONV("'padding':[0,1,2]"), TG_E_RECIPE,
     "model.layers[0] conv2d: padding is one number, [height, width] or [top, left, bottom, right]"},
    {CONV("'padding':[0,1,2,3]"), TG_E_SHAPE,
     "model.layers[0] conv2d: padding must be smaller than the kernel 3x3"},
    {CONV("'padding':-1"), TG_E_RECIPE, "model.layers[0] conv2d: padding must be at least 0, not -1"},
    {CONV("'groups':2"), TG_E_SHAPE,
     "model.layers[0] conv2d: groups 2 must divide the 1 input channels and the 2 filters"},
    {CONV("'size':2"), TG_E_RECIPE,
     "model.layers[0] conv2d: unknown key \"size\"; there are filters, kernel, stride, dilation, groups, "
     "padding, bias, type, name, inputs, initializer, weights, trainable, learning_rate_factor"},
    {FLAT("{'type':'conv2d','filters':3,'kernel':3}"), TG_E_SHAPE,
     "model.layers[1] conv2d: takes pictures (channels x height x width), not 36"},
    {FLAT("{'type':'max_pool2d','size':2}"), TG_E_SHAPE,
     "model.layers[1] max_pool2d: takes pictures (channels x height x width), not 36"},
    {FLAT("{'type':'global_avg_pool2d'}"), TG_E_SHAPE,
     "model.layers[1] global_avg_pool2d: takes pictures (channels x height x width), not 36"},
    {LAYERS("{'type':'max_pool2d'}"), TG_E_RECIPE, "model.layers[0] max_pool2d: size is missing"},
    {LAYERS("{'type':'max_pool2d','kernel':2}"), TG_E_RECIPE,
     "model.layers[0] max_pool2d: unknown key \"kernel\"; there are size, stride, padding, type, name, "
     "inputs, initializer, weights, trainable, learning_rate_factor"},
    {LAYERS("{'type':'avg_pool2d','size':7}"), TG_E_SHAPE,
     "model.layers[0] avg_pool2d: kernel 7x7 exceeds input 6x6"},
    {LAYERS("{'type':'avg_pool2d','size':2,'padding':2}"), TG_E_SHAPE,
     "model.layers[0] avg_pool2d: padding must be smaller than the kernel 2x2"},
};

#define BRANCHES "{'type':'flatten'},{'type':'dense','units':3,'name':'a'},"
static const wrong graphs[] = {
    {LAYERS(BRANCHES "{'type':'dense','units':3,'inputs':'c','name':'b'},{'type':'dense','units':3,'inputs':"
                     "'b','name':'c'}"),
     TG_E_RECIPE, "model.layers[2] dense: its inputs go round in a circle"},
    {LAYERS(BRANCHES "{'type':'dense','units':3,'inputs':'b','name':'b'}"), TG_E_RECIPE,
     "model.layers[2] dense: its inputs go round in a circle"},
    {LAYERS(BRANCHES "{'type':'dense','units':3,'inputs':'z'}"), TG_E_RECIPE,
     "model.layers[2] dense: no layer is named \"z\""},
    {LAYERS(BRANCHES "{'type':'dense','units':3,'inputs':['a','flatten1']}"), TG_E_RECIPE,
     "model.layers[2] dense: takes at most 1 inputs, has 2"},
    {LAYERS(BRANCHES "{'type':'dense','units':3,'inputs':[]}"), TG_E_RECIPE,
     "model.layers[2] dense: inputs must name layers"},
    {LAYERS(BRANCHES "{'type':'dense','units':3,'inputs':[1]}"), TG_E_RECIPE,
     "model.layers[2] dense: inputs must name layers"},
    {LAYERS(BRANCHES "{'type':'dense','units':3,'inputs':2}"), TG_E_RECIPE,
     "model.layers[2] dense: inputs must name layers"},
    {LAYERS(BRANCHES "{'type':'add'}"), TG_E_RECIPE,
     "model.layers[2] add: needs at least 2 inputs, has 1; name them in \"inputs\""},
    {LAYERS(BRANCHES "{'type':'add','inputs':['a']}"), TG_E_RECIPE,
     "model.layers[2] add: needs at least 2 inputs, has 1; name them in \"inputs\""},
    {LAYERS(BRANCHES "{'type':'add','inputs':['a','flatten1']}"), TG_E_SHAPE,
     "model.layers[2] add: cannot add a (3) and flatten1 (36): shapes differ"},
    {LAYERS(BRANCHES "{'type':'concat','inputs':['a','flatten1'],'axis':2}"), TG_E_SHAPE,
     "model.layers[2] concat: axis 2 does not exist in a (3), whose axis 0 is the batch"},
    {LAYERS(BRANCHES "{'type':'concat','inputs':['a','input']}"), TG_E_SHAPE,
     "model.layers[2] concat: cannot join a (3) and input (1x6x6): they differ beside axis 1"},
    {LAYERS(BRANCHES "{'type':'concat','inputs':['a','a'],'axis':0}"), TG_E_RECIPE,
     "model.layers[2] concat: axis must be at least 1, not 0"},
    {LAYERS("{'type':'conv2d','filters':2,'kernel':3,'name':'a'},{'type':'concat','inputs':['a','input']}"),
     TG_E_SHAPE,
     "model.layers[1] concat: cannot join a (2x4x4) and input (1x6x6): they differ beside axis 1"},
    {LAYERS(BRANCHES "{'type':'dense','units':4,'inputs':'flatten1'}"), TG_E_RECIPE,
     "model: nothing uses the output of layer a; name it in the inputs of another layer or in a loss"},
};

static const wrong losses[] = {
    {LOSS("'crossentropy'"), TG_E_RECIPE,
     "loss: unknown type \"crossentropy\"; there are cross_entropy, mean_squared_error"},
    {LOSS("3"), TG_E_RECIPE, "loss: must be a name or an object with a type"},
    {LOSS("null"), TG_E_RECIPE, "loss: must be a name or an object with a type"},
    {LOSS("{}"), TG_E_RECIPE, "loss: must be a name or an object with a type"},
    {LOSS("{'type':'cross_entropy','smoothing':0.1}"), TG_E_RECIPE,
     "loss: unknown key \"smoothing\"; there are label_smoothing, type, output, target, weight, reduction"},
    {LOSS("{'type':'cross_entropy','label_smoothing':1}"), TG_E_RECIPE,
     "loss: label_smoothing must be below 1, not 1"},
    {LOSS("{'type':'cross_entropy','label_smoothing':'a'}"), TG_E_RECIPE,
     "loss: label_smoothing must be a number, not a text"},
    {LOSS("{'type':'mean_squared_error','label_smoothing':0.1}"), TG_E_RECIPE,
     "loss: unknown key \"label_smoothing\"; there are type, output, target, weight, reduction"},
    {LOSS("{'type':'cross_entropy','output':'dense7'}"), TG_E_RECIPE, "loss: no layer is named \"dense7\""},
    {LOSS("{'type':'cross_entropy','target':'output'}"), TG_E_RECIPE,
     "loss: target must be one of labels|input, not \"output\""},
    {LOSS("{'type':'cross_entropy','reduction':'none'}"), TG_E_RECIPE,
     "loss: reduction must be one of mean|sum, not \"none\""},
    {LOSS("{'type':'cross_entropy','weight':-1}"), TG_E_RECIPE, "loss: weight must be at least 0, not -1"},
    {LOSS("{'type':'mean_squared_error','target':'input'}"), TG_E_SHAPE,
     "loss: dense1 (3) has not as many values as the input (1x6x6) it is to repeat"},
    {LOSS("'cross_entropy','losses':[{'type':'cross_entropy'}]"), TG_E_RECIPE,
     "losses: is there beside \"loss\"; keep one of the two"},
    {BESIDE("'losses':[]"), TG_E_RECIPE, "losses: must be a list of losses"},
    {BESIDE("'losses':{'type':'cross_entropy'}"), TG_E_RECIPE, "losses: must be a list of losses"},
    {BESIDE("'losses':[{'type':'cross_entropy'},{'type':'hinge'}]"), TG_E_RECIPE,
     "losses[1]: unknown type \"hinge\"; there are cross_entropy, mean_squared_error"},
    {BESIDE("'losses':['cross_entropy','cross_entropy','cross_entropy','cross_entropy','cross_entropy',"
            "'cross_entropy',"
            "'cross_entropy','cross_entropy','cross_entropy']"),
     TG_E_RECIPE, "losses[8]: at most 8 losses are possible"},
    {LAYERS("{'type':'conv2d','filters':3,'kernel':3}"), TG_E_SHAPE,
     "loss: conv2d1 gives 3x4x4, but one score per class is needed; end with flatten and dense"},
    {FLAT("{'type':'dense','units':1}"), TG_E_SHAPE,
     "loss: dense1 gives one score, but labels need at least two classes"},
};

static const wrong optimizers[] = {
    {RECIPE(GOOD), TG_E_RECIPE, "optimizer: is missing; for example { \"type\": \"adam\" }"},
    {OPTIMIZER("'adam'"), TG_E_RECIPE, "optimizer: must be an object with a type"},
    {OPTIMIZER("{}"), TG_E_RECIPE, "optimizer: type is missing"},
    {OPTIMIZER("{'type':'adagrad'}"), TG_E_RECIPE,
     "optimizer: unknown type \"adagrad\"; there are sgd, momentum, nesterov, rmsprop, adam, adamw"},
    {OPTIMIZER("{'type':'adam','lr':0.1}"), TG_E_RECIPE,
     "optimizer: unknown key \"lr\"; there are type, learning_rate, l2, weight_decay, clip_norm, "
     "beta1, beta2, epsilon"},
    {OPTIMIZER("{'type':'sgd','momentum':0.9}"), TG_E_RECIPE,
     "optimizer: unknown key \"momentum\"; there are type, learning_rate, l2, weight_decay, clip_norm"},
    {OPTIMIZER("{'type':'adam','learning_rate':0}"), TG_E_RECIPE,
     "optimizer: learning_rate must be above 0, not 0"},
    {OPTIMIZER("{'type':'adam','learning_rate':-0.1}"), TG_E_RECIPE,
     "optimizer: learning_rate must be above 0, not -0.1"},
    {OPTIMIZER("{'type':'adam','learning_rate':'fast'}"), TG_E_RECIPE,
     "optimizer: learning_rate must be a number, not a text"},
    {OPTIMIZER("{'type':'adam','beta1':1}"), TG_E_RECIPE, "optimizer: beta1 must be below 1, not 1"},
    {OPTIMIZER("{'type':'adam','epsilon':0}"), TG_E_RECIPE, "optimizer: epsilon must be above 0, not 0"},
    {OPTIMIZER("{'type':'momentum','momentum':1.5}"), TG_E_RECIPE,
     "optimizer: momentum must be below 1, not 1.5"},
    {OPTIMIZER("{'type':'adamw','weight_decay':-1}"), TG_E_RECIPE,
     "optimizer: weight_decay must be at least 0, not -1"},
    {OPTIMIZER("{'type':'sgd','l2':-1}"), TG_E_RECIPE, "optimizer: l2 must be at least 0, not -1"},
    {BESIDE("'schedule':'cosine'"), TG_E_RECIPE, "schedule: must be an object with a type"},
    {BESIDE("'schedule':{}"), TG_E_RECIPE, "schedule: type is missing"},
    {BESIDE("'schedule':{'type':'linear'}"), TG_E_RECIPE,
     "schedule: unknown type \"linear\"; there are constant, step, exponential, inverse_time, cosine, "
     "warm_up, "
     "plateau"},
    {BESIDE("'schedule':{'type':'plateau','factor':0.5}"), TG_E_RECIPE,
     "schedule: plateau needs a validation part to watch; set data.validation, for example to 0.1"},
    {BESIDE("'schedule':[{'type':'plateau','factor':0.5},{'type':'plateau','factor':0.1}]"), TG_E_RECIPE,
     "schedule[1]: there can be only one plateau"},
    {BESIDE("'schedule':{'type':'exponential','factor':-0.1}"), TG_E_RECIPE,
     "schedule: factor must be above 0, not -0.1"},
    {BESIDE("'schedule':{'type':'inverse_time','rate':-1}"), TG_E_RECIPE,
     "schedule: rate must be at least 0, not -1"},
    {BESIDE("'schedule':{'type':'warm_up','epochs':0}"), TG_E_RECIPE,
     "schedule: epochs must be above 0, not 0"},
    {BESIDE("'early_stopping':{'patience':3}"), TG_E_RECIPE,
     "early_stopping: needs a validation part to watch; set data.validation, for example to 0.1"},
    {BESIDE("'early_stopping':{'patience':0},'data':{'validation':0.5}"), TG_E_RECIPE,
     "early_stopping: patience must be at least 1, not 0"},
    {BESIDE("'early_stopping':{'min_delta':1},'data':{'validation':0.5}"), TG_E_RECIPE,
     "early_stopping: patience is missing"},
    {BESIDE("'data':{'sampling':'bootstrap'}"), TG_E_RECIPE,
     "data: sampling must be one of without_replacement|with_replacement, not \"bootstrap\""},
    {BESIDE("'data':{'shape':[6,6]}"), TG_E_RECIPE, "data: shape must be [height, width, channels]"},
    {BESIDE("'schedule':{'type':'step','factor':0.5}"), TG_E_RECIPE, "schedule: every_epochs is missing"},
    {BESIDE("'schedule':{'type':'step','factor':0,'every_epochs':1}"), TG_E_RECIPE,
     "schedule: factor must be above 0, not 0"},
    {BESIDE("'schedule':{'type':'step','factor':0.5,'every_epochs':0}"), TG_E_RECIPE,
     "schedule: every_epochs must be at least 1, not 0"},
    {BESIDE("'schedule':[{'type':'constant'},{'type':'cosine','final_factor':2}]"), TG_E_RECIPE,
     "schedule[1]: final_factor must be at most 1, not 2"},
};

enum { SAMPLES = 20, CLASSES = 3 };

static void check(const wrong *cases, size_t count) {
    tg_engine *engine = make_engine(1);
    tg_dataset *train = make_pictures(6, 6, 1, SAMPLES, CLASSES, 1, 0);
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        tg_attrs *recipe = attrs_from("%s", cases[i].recipe);
        tg_run *run = (tg_run *)&run;
        tg_error err;
        tg_status status = tg_run_create(engine, recipe, train, NULL, &run, &err);
        const char *says = sentence(status, &err);
        if (status != cases[i].status || strcmp(says, cases[i].expected) != 0) {
            print_error("%s\n  says     %d %s\n  expected %d %s\n", cases[i].recipe, (int)status, says,
                        (int)cases[i].status, cases[i].expected);
            failed++;
        }
        if (status == TG_OK) tg_run_destroy(run);
        else assert_null(run);
        tg_attrs_destroy(recipe);
    }
    tg_dataset_destroy(train);
    tg_engine_destroy(engine);
    assert_int_equal(failed, 0);
}

/* ---- what only memory or data refuse ---- */

/* A machine of 256 MB, whatever the real one would give. */
static void *allocate_a_little(size_t bytes, void *ctx) {
    (void)ctx;
    return bytes > (size_t)1 << 28 ? NULL : malloc(bytes);
}

static void release(void *memory, void *ctx) {
    (void)ctx;
    free(memory);
}

#define SHRINK                                                                                               \
    "{'type':'max_pool2d','size':1024},{'type':'max_pool2d','size':1024},{'type':'flatten'},{'type':'dense'" \
    ",'units':2}"
#define FOUR "'input','input','input','input',"
static const wrong too_large[] = {
    {FLAT("{'type':'dense','units':1048576},{'type':'dense','units':1048576}"), TG_E_MEMORY,
     "model: the parameters need 17592824 MB, which this machine does not give; use smaller layers"},
    {LAYERS("{'type':'conv2d','filters':65536,'kernel':1024,'padding':'same'},{'type':'flatten'}"),
     TG_E_MEMORY,
     "model: the parameters need 1099513 MB, which this machine does not give; use smaller layers"},
    {RECIPE("'model':{'input':[16,16,524288],'layers':[{'type':'flatten'},{'type':'dense','units':3}]}" ADAM),
     TG_E_MEMORY, "no memory is left for the preprocessing of 524288 channels; use fewer"},
    {RECIPE("'model':{'input':[1048576,1048576,1],'layers':[" SHRINK "]}" ADAM), TG_E_MEMORY,
     "batches of 64 need 281475254 MB, which this machine does not give; use a smaller batch_size or model"},
    {RECIPE("'model':{'input':[1048576,1048576,512],'layers':[" SHRINK "]},'batch_size':16777216" ADAM),
     TG_E_MEMORY,
     "batches of 16777216 need 18446744073710 MB, which this machine does not give; use a smaller batch_size "
     "or model"},
    {RECIPE(
         "'model':{'input':[1048576,1048576,524288],'layers':[{'type':'concat','inputs':[" FOUR FOUR FOUR FOUR
         "'input']}]}" ADAM),
     TG_E_MEMORY, "model.layers[0] concat: the output is too large for this machine"},
};

static void sizes_beyond_this_machine_are_told(void **state) {
    (void)state;
    tg_engine *engine = make_engine(1);
    tg_set_allocator(&(tg_allocator){allocate_a_little, release, NULL});
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++) {
        tg_attrs *recipe = attrs_from("%s", too_large[i].recipe);
        tg_run *run;
        tg_error err;
        tg_status status = tg_run_create(engine, recipe, NULL, NULL, &run, &err);
        assert_string_equal(sentence(status, &err), too_large[i].expected);
        assert_int_equal(status, too_large[i].status);
        tg_attrs_destroy(recipe);
    }
    tg_set_allocator(NULL);
    tg_engine_destroy(engine);
}

static void data_that_does_not_fit_is_told(void **state) {
    (void)state;
    static const char recipe_text[] = LAYERS("{'type':'flatten'},{'type':'dense','units':3,'name':'code'},"
                                             "{'type':'dense','units':4,'name':'out'}");
    tg_engine *engine = make_engine(1);
    tg_attrs *recipe = attrs_from("%s", recipe_text);
    tg_dataset *good = make_pictures(6, 6, 1, 10, 4, 1, 0),
               *other_shape = make_pictures(6, 7, 1, 10, 4, 1, 0),
               *more_classes = make_pictures(6, 6, 1, 10, 5, 1, 0), *unchecked;
    tg_run *run;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_U8, 6, 6, 1, 10, 4, false, &unchecked, &err));
    ASSERT_FAILS(tg_run_create(engine, recipe, other_shape, NULL, &run, &err), TG_E_SHAPE,
                 "training data: samples are 6x7x1 but model.input is 6x6x1; change one of the two");
    ASSERT_FAILS(tg_run_create(engine, recipe, good, other_shape, &run, &err), TG_E_SHAPE,
                 "test data: samples are 6x7x1 but the run takes 6x6x1; use data of that shape");
    ASSERT_FAILS(
        tg_run_create(engine, recipe, more_classes, NULL, &run, &err), TG_E_SHAPE,
        "training data: sample 8 has label 4, but layer out gives only 4 scores, for labels 0 to 3; correct "
        "the label, or give it 5 units");
    ASSERT_FAILS(tg_run_create(engine, recipe, unchecked, NULL, &run, &err), TG_E_STATE,
                 "training data: the data has not been checked since it was filled in");
    tg_attrs_destroy(recipe);

    /* An output that is not the first must have a score for every class as well. */
    recipe = attrs_from(
        "%s", RECIPE("'losses':[{'type':'cross_entropy'},{'type':'cross_entropy','output':'code'}]," MODEL(
                  "{'type':'flatten'},{'type':'dense','units':3,'name':'code'},"
                  "{'type':'dense','units':4}") ADAM));
    ASSERT_FAILS(
        tg_run_create(engine, recipe, good, NULL, &run, &err), TG_E_SHAPE,
        "training data: sample 1 has label 3, but layer code gives only 3 scores, for labels 0 to 2; "
        "correct the label, or give it 4 units");
    tg_attrs_destroy(recipe);
    tg_dataset_destroy(good);
    tg_dataset_destroy(other_shape);
    tg_dataset_destroy(more_classes);
    tg_dataset_destroy(unchecked);
    tg_engine_destroy(engine);
}

#define CHECK(name)                                                                                          \
    static void name##_are_told(void **state) {                                                              \
        (void)state;                                                                                         \
        check(name, sizeof name / sizeof *name);                                                             \
    }

CHECK(top_level)
CHECK(models)
CHECK(windows)
CHECK(graphs)
CHECK(losses)
CHECK(optimizers)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_level_are_told),
        cmocka_unit_test(models_are_told),
        cmocka_unit_test(windows_are_told),
        cmocka_unit_test(graphs_are_told),
        cmocka_unit_test(losses_are_told),
        cmocka_unit_test(optimizers_are_told),
        cmocka_unit_test(sizes_beyond_this_machine_are_told),
        cmocka_unit_test(data_that_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
